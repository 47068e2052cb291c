// A sync that runs is seen running: its page refreshes by itself, until the end.
import { expect } from "./harness.mjs";

/** A sync that has not moved twice in this time is looked at as it is. */
const PATIENCE_MS = 30_000;

const MOVING = /queued|running|waiting/;
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
    let refreshes = 0;
    page.on("response", (response) => { if (response.request().headers()["hx-request"] === "true") refreshes += 1; });
    const state = async (of) => words(await of.locator("[data-live-sync] .badge").first().innerText());
    const first = await state(page);
    const startedMs = performance.now();
    while (MOVING.test(await state(page)) && refreshes < 2 && performance.now() - startedMs < PATIENCE_MS) await page.waitForTimeout(250);
    // What the open page says must be what a page that is opened now says.
    const truth = await page.context().newPage();
    await truth.goto(page.url());
    const over = !MOVING.test(await state(truth));
    for (let attempt = 0; over && MOVING.test(await state(page)) && attempt < 20; attempt += 1) await page.waitForTimeout(250);
    const last = await state(page);
    expect(!over || last === await state(truth), `the open page says ${last}, a new one ${await state(truth)}`);
    expect(over || refreshes > 0, "a running sync's page never refreshed");
    expect(await page.evaluate(() => window.sameDocument === true), "the page was loaded again");
    expect(await page.locator("[data-live-sync] h2").count() > 0, "the refreshed region is empty");
    return `${first} → ${last}, ${refreshes} refreshes`;
  }));

  await run.check("the live stream is open", () => run.withPage("/pulse", {}, async (page) => {
    await page.locator("[data-live-dot][data-state=live]").waitFor();
  }));
}
