// Nobody gets in without signing in; a wrong password says so; a one-time link works.
import { expect } from "./harness.mjs";

export async function checkSignIn(run) {
  await run.check("a wrong password is refused in words and the name is kept", () => run.withPage("/sign-in", {}, async (page) => {
    await page.fill("#name", "owner");
    await page.fill("#password", "certainly not the password");
    await page.click("button[type=submit]");
    expect(await page.locator("#sign-in-error").isVisible(), "no error is shown");
    expect(await page.inputValue("#name") === "owner", "the name is lost");
    expect(await page.inputValue("#password") === "", "the password comes back");
  }));

  await run.check("who asks for a page is led back to it after signing in", () => run.withPage("/orders?from=2026-01-01", {}, async (page) => {
    expect(new URL(page.url()).pathname === "/sign-in", `not at the door: ${page.url()}`);
    expect(await page.inputValue("input[name=next]") === "/orders?from=2026-01-01", "the way back is lost");
    await page.fill("#name", "owner");
    await page.fill("#password", "certainly not the password");
    await page.click("button[type=submit]");
    expect(await page.inputValue("input[name=next]") === "/orders?from=2026-01-01", "a typing error loses the way back");
  }));

  await run.check("a one-time link signs in", async () => {
    const context = await run.context();
    const page = await context.newPage();
    await page.goto(run.options.link);
    // Looking does not use the link up; its button does.
    const button = page.locator("main form[method=post] button[type=submit]");
    if (await page.locator("nav.side").count() === 0) await button.click();
    await page.locator("nav.side").waitFor();
    run.storageState = await context.storageState();
    await context.close();
  });
}
