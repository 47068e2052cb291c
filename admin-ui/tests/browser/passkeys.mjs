// A passkey is added, opens the account by itself, and is removed again: with Chromium's virtual authenticator in the place of a
// device, so under a name of this machine that browsers trust (localhost).
import { expect } from "./harness.mjs";

const OPTIONS = { protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true };

/** A device beside the page; says how to have it refuse its person. */
async function withDevice(context, page) {
  const cdp = await context.newCDPSession(page);
  await cdp.send("WebAuthn.enable");
  const { authenticatorId } = await cdp.send("WebAuthn.addVirtualAuthenticator", { options: OPTIONS });
  return { verify: (isUserVerified) => cdp.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified }) };
}

export async function checkPasskeys(run) {
  await run.check("a passkey is added, opens the account by itself, and is removed again", async () => {
    const context = await run.context();
    try {
      const page = await context.newPage();
      const device = await withDevice(context, page);
      await page.goto("/account");
      await page.click("text=Add a passkey");
      await page.waitForURL("**/account/passkeys/new");
      await page.fill("#name", "Virtual key");
      await device.verify(false);
      await page.click("button:has-text('Add it')");
      await page.locator("[data-passkey-error]:has-text('cancelled')").waitFor();
      await device.verify(true);
      await page.click("button:has-text('Add it')");
      await page.locator("#recovery-codes").waitFor();
      await page.click("text=I have kept them");
      expect(await page.locator("#passkeys-title ~ * th:has-text('Virtual key')").count() === 1, "the passkey is not listed");
      await page.locator("button:has-text('Sign out'):visible").first().click();
      await page.waitForURL("**/sign-in");
      await page.click("button:has-text('Sign in with a passkey')");
      await page.locator("nav.side").waitFor();
      expect(new URL(page.url()).pathname === "/pulse", `not in: ${page.url()}`);
      // To show again who one is, it is asked as well.
      await page.goto("/sign-in/again?next=/account");
      await page.click("button:has-text('Use a passkey')");
      await page.waitForURL("**/account");
      await page.click("summary[aria-label='Remove Virtual key']");
      await page.click("button:has-text('Remove'):visible");
      await page.locator("text=None yet.").waitFor();
      // The session goes on for the other checks.
      run.storageState = await context.storageState();
      // What is not known any more is not taken, and said.
      await context.clearCookies();
      await page.goto("/sign-in");
      await page.click("button:has-text('Sign in with a passkey')");
      await page.locator("[data-passkey-error]:has-text('was not taken')").waitFor();
    } finally {
      await context.close();
    }
  });

  await run.check("without passkeys in the browser, and without scripts, a sentence stands in their place", async () => {
    const context = await run.context({ storageState: undefined });
    try {
      await context.addInitScript(() => delete window.PublicKeyCredential);
      const page = await context.newPage();
      await page.goto("/sign-in");
      expect(await page.locator("[data-passkey-missing]").isVisible(), "nothing is said");
      expect(!(await page.locator("[data-passkey-button]").isVisible()), "the button does nothing");
    } finally {
      await context.close();
    }
    await run.withPage("/sign-in", { javaScriptEnabled: false, storageState: undefined }, async (page) => {
      expect(await page.locator("[data-passkey-missing]").isVisible(), "nothing is said without scripts");
      expect(!(await page.locator("[data-passkey-button]").isVisible()), "the button is there without scripts");
    });
  });
}
