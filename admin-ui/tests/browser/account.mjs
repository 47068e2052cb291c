// A second factor is set up, asked for and switched off, as somebody with an authenticator does it.
import { createHmac } from "node:crypto";
import { expect } from "./harness.mjs";

/** The code of a key as it is shown, `before` steps ago (RFC 6238). */
function codeOf(key, before = 0) {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const bits = [...key.replace(/\s/g, "")].map((letter) => alphabet.indexOf(letter).toString(2).padStart(5, "0")).join("");
  const seed = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) - before));
  const digest = createHmac("sha1", seed).update(step).digest();
  const number = digest.readUInt32BE(digest.at(-1) & 15) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, "0");
}

export async function checkAccount(run) {
  await run.check("a second factor is set up by a pasted code and switched off again", async () => {
    const context = await run.context({ permissions: ["clipboard-read", "clipboard-write"] });
    try {
      const page = await context.newPage();
      await page.goto("/account");
      await page.click("text=Set up a second factor");
      await page.waitForURL("**/account/second-factor");
      expect(await page.locator("svg.qr path").count() === 1, "no drawing");
      const key = await page.locator("code.key").innerText();
      // A step that began in between would leave the one before too old: then it is said, and typed again.
      const field = page.locator("#code");
      const before = codeOf(key, 1);
      await field.fill(`${before.slice(0, 3)} ${before.slice(3)}`);
      expect(await field.inputValue() === before, `the space stays: ${await field.inputValue()}`);
      await field.press("ArrowLeft");
      await field.press("Backspace");
      expect((await field.inputValue()).length === 5, "backspace takes no digit");
      await field.pressSequentially(before[4]);
      expect(await field.inputValue() === before, "a digit in the middle is not put back");
      await page.click("text=Switch it on");
      await page.locator("#recovery-codes").waitFor();
      const codes = (await page.locator("#recovery-codes").innerText()).trim().split("\n");
      expect(codes.length === 10 && codes.every((code) => /^[0-9A-HJKMNP-TV-Z]{6}(-[0-9A-HJKMNP-TV-Z]{6}){3}$/.test(code)), `not ten codes: ${codes}`);
      await page.click("[data-copy]");
      await page.locator("text=Copied").waitFor();
      expect((await page.evaluate(() => navigator.clipboard.readText())).trim() === codes.join("\n"), "the codes are not copied");
      await page.click("text=I have kept them");
      await page.locator("text=10 recovery codes are left").waitFor();
      await page.click("summary:has-text('Switch off')");
      await page.fill("#code", codeOf(key));
      await page.click("button:has-text('Switch off')");
      await page.locator("text=Your password alone lets somebody in").first().waitFor();
      // The session goes on under another token.
      run.storageState = await context.storageState();
    } finally {
      await context.close();
    }
  });

  await run.check("one's own account is read and left at phone width, without scripts", () => run.withPage("/pulse", { javaScriptEnabled: false, viewport: { width: 390, height: 844 } }, async (page) => {
    await page.click("a[aria-label='Profile and security']");
    expect(await page.locator("text=this one").first().isVisible(), "this session is not told");
    expect(await page.locator("button:has-text('Sign out'):visible").first().isVisible(), "nobody can leave");
  }));
}
