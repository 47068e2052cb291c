// A sync that runs is seen running: its page refreshes by itself, until the end.
import { expect } from "./harness.mjs";

const PATIENCE_MS = 60_000;

const words = (text) => text.replace(/\s+/g, " ").trim();

export async function checkLive(run) {
  await run.check("a sync started from the list shows its progress live", () => run.withPage("/connections", {}, async (page) => {
    const start = page.locator("form[action$='/sync'] button").first();
    expect(await start.count() > 0, "no connection can be synced");
    await start.click();
    await page.waitForLoadState();
    await page.goto("/syncs");
    await page.locator("main table tbody tr a").first().click();
    await page.waitForLoadState();
    expect(/^\/syncs\/./.test(new URL(page.url()).pathname), `not a sync's address: ${page.url()}`);
    // A mark on the document tells a refreshed region from a loaded page.
    await page.evaluate(() => { window.sameDocument = true; });
    const before = await page.locator("[data-live-sync]").innerHTML();
    const state = () => page.locator("[data-live-sync] .badge").first().innerText();
    const first = await state();
    if (/queued|running|waiting/.test(first)) {
      const refreshed = page.waitForResponse((response) => response.request().headers()["hx-request"] === "true", { timeout: PATIENCE_MS });
      await refreshed;
      await page.waitForFunction((was) => document.querySelector("[data-live-sync]")?.innerHTML !== was, before, { timeout: PATIENCE_MS }).catch(() => undefined);
    }
    expect(await page.evaluate(() => window.sameDocument === true), "the page was loaded again");
    expect(await page.locator("[data-live-sync] h2").count() > 0, "the refreshed region is empty");
    return `${words(first)} → ${words(await state())}`;
  }));

  await run.check("the live stream is open", () => run.withPage("/pulse", {}, async (page) => {
    await page.locator("[data-live-dot][data-state=live]").waitFor();
  }));
}
