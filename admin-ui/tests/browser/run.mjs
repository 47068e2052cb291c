// The pages in a real browser:
//   node tests/browser/run.mjs --base-url http://127.0.0.1:8080 --link ADDRESS [--screenshots DIR]
// ADDRESS is a one-time sign-in link. Each check prints a line; the exit code is 1 if one failed.
import { parseArgs } from "node:util";
import { checkAccount } from "./account.mjs";
import { checkConnections } from "./connections.mjs";
import { checkExplorer } from "./explorer.mjs";
import { checkForms } from "./forms.mjs";
import { Run, launch } from "./harness.mjs";
import { checkKeyboard } from "./keyboard.mjs";
import { checkLooks } from "./looks.mjs";
import { checkPages } from "./pages.mjs";
import { checkPasskeys } from "./passkeys.mjs";
import { checkPlanted } from "./planted.mjs";
import { checkSignIn } from "./sign-in.mjs";
import { checkLive } from "./live.mjs";
import { checkMoney } from "./money.mjs";

const { values } = parseArgs({
  options: { "base-url": { type: "string" }, link: { type: "string" }, screenshots: { type: "string" } },
});
if (!values["base-url"] || !values.link) {
  console.error("usage: node tests/browser/run.mjs --base-url URL --link ONE_TIME_SIGN_IN_URL [--screenshots DIR]");
  process.exit(2);
}

const browser = await launch();
const run = new Run(browser, { baseUrl: values["base-url"], link: values.link, screenshots: values.screenshots });
try {
  await checkSignIn(run);
  if (run.storageState) {
    await checkAccount(run);
    await checkPasskeys(run);
    await checkPages(run);
    await checkForms(run);
    await checkExplorer(run);
    await checkKeyboard(run);
    await checkLive(run);
    await checkLooks(run);
    await checkConnections(run);
    await checkMoney(run);
    await checkPlanted(run);
  }
} finally {
  await browser.close();
}
console.log(run.failures === 0 ? "all checks passed" : `${run.failures} checks failed`);
process.exit(run.failures === 0 ? 0 : 1);
