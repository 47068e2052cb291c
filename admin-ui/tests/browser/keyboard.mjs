// Everything by keyboard: skip link, palette, list of keys, going to pages; a chosen theme stays.
import { expect } from "./harness.mjs";

export async function checkKeyboard(run) {
  await run.check("the first Tab reaches the skip link, and it leads to the content", () => run.withPage("/pulse", {}, async (page) => {
    await page.keyboard.press("Tab");
    const focused = await page.evaluate(() => document.activeElement?.className);
    expect(focused === "skip", `the first stop is ${focused}`);
    await page.keyboard.press("Enter");
    expect(await page.evaluate(() => document.activeElement?.id) === "main", "the content is not focused");
  }));

  await run.check("Ctrl-K finds a page and goes there", () => run.withPage("/pulse", {}, async (page) => {
    await page.keyboard.press("Control+k");
    await page.locator("dialog.palette").waitFor();
    await page.keyboard.type("conn");
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/connections/);
  }));

  await run.check("? lists the keys, Escape closes, g and o go to the orders", () => run.withPage("/pulse", {}, async (page) => {
    await page.keyboard.press("?");
    await page.locator("dialog.keys").waitFor();
    await page.keyboard.press("Escape");
    await page.locator("dialog").waitFor({ state: "detached" });
    await page.keyboard.press("g");
    await page.keyboard.press("o");
    await page.waitForURL(/\/orders/);
  }));

  await run.check("a chosen theme stays over pages", () => run.withPage("/pulse", { colorScheme: "light" }, async (page) => {
    const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const light = await ground();
    await page.click("[data-theme-toggle]");
    const dark = await ground();
    expect(light !== dark, "nothing changes");
    await page.goto("/orders");
    expect(await ground() === dark, "the choice is lost");
  }));
}
