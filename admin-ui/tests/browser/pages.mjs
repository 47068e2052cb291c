// Every page shows what it is for: numbers, charts, orders and their ledger; with and without scripts.
import { expect } from "./harness.mjs";

/** "−1 234.50 EUR" in minor units. */
function minor(text) {
  const digits = text.replace(/[^0-9]/g, "");
  expect(digits !== "", `no amount: ${text}`);
  return text.trim().startsWith("−") ? -BigInt(digits) : BigInt(digits);
}

export async function checkPages(run) {
  await run.check("Pulse shows figures with their units", () => run.withPage("/pulse", {}, async (page) => {
    const figures = await page.locator(".kpi .figure").allInnerTexts();
    expect(figures.length >= 4, `only ${figures.length} figures`);
    expect(figures.some((figure) => /[1-9]/.test(figure)), `no figure has a number: ${figures.join(", ")}`);
    return figures.slice(0, 3).map((figure) => figure.replace(/\s+/g, " ")).join(", ");
  }));

  await run.check("charts are drawn by the server and come to life without a jump", () => run.withPage("/pulse", {}, async (page) => {
    const charts = await page.locator("figure.chart").count();
    expect(charts >= 1, "no chart");
    for (const svg of await page.locator("figure.chart .plot-wide svg").all()) {
      expect(await svg.locator("path").count() > 2, "a chart without drawing");
      expect(await svg.locator("text").count() > 2, "a chart without labels");
    }
    const shifted = page.evaluate(() => new Promise((resolve) => {
      let sum = 0;
      new PerformanceObserver((list) => { for (const entry of list.getEntries()) if (!entry.hadRecentInput) sum += entry.value; })
        .observe({ type: "layout-shift", buffered: true });
      setTimeout(() => resolve(sum), 2500);
    }));
    await page.locator("figure.chart").last().scrollIntoViewIfNeeded();
    await page.locator("figure.chart canvas").first().waitFor();
    const sum = await shifted;
    expect(sum < 0.02, `the layout shifts by ${sum.toFixed(3)}`);
    await page.locator("figure.chart canvas").first().hover({ position: { x: 200, y: 120 } });
    await page.locator(".chart-tip").first().waitFor();
    expect(/\d/.test(await page.locator(".chart-tip").first().innerText()), "the tooltip has no number");
    return `${charts} charts, layout shift ${sum.toFixed(3)}`;
  }));

  await run.check("a figure has its small line, in words too", () => run.withPage("/pulse?range=all", {}, async (page) => {
    const lines = page.locator(".kpi [role=img]");
    expect(await lines.count() >= 4, `only ${await lines.count()} lines`);
    for (const line of await lines.all()) {
      expect(await line.locator("svg path").count() > 0, "a line without drawing");
      const words = await line.getAttribute("aria-label");
      expect(/\b(Highest|Always)\b.*\d/.test(words ?? ""), `a line without words: ${words}`);
      const [box, tile] = [await line.boundingBox(), await line.locator("xpath=ancestor::*[contains(@class,'kpi ')]").boundingBox()];
      expect(box.x >= tile.x && box.x + box.width <= tile.x + tile.width, "a line leaves its tile");
    }
    return `${await lines.count()} lines`;
  }));

  await run.check("charts change their currency by address, without scripts", () => run.withPage("/pulse?range=all", { javaScriptEnabled: false }, async (page) => {
    const choices = page.locator(".currencies .presets a");
    const currencies = await choices.allInnerTexts();
    if (currencies.length === 0) return "one currency";
    for (const currency of currencies) {
      await page.locator(".currencies .presets a", { hasText: currency }).click();
      await page.waitForLoadState();
      const address = new URL(page.url());
      expect(address.searchParams.get("currency") === currency && address.searchParams.get("range") === "all", `not kept: ${address.search}`);
      expect(await page.locator(".currencies .presets a[aria-current]").innerText() === currency, "the choice is not marked");
      const subtitle = await page.locator("figure.chart figcaption .note").first().innerText();
      expect(subtitle.endsWith(currency), `the chart is in another currency: ${subtitle}`);
      const others = currencies.filter((other) => other !== currency);
      const table = await page.locator("figure.chart table").first().textContent();
      expect(others.every((other) => !table.includes(other)), "currencies are mixed");
    }
    // A form that is sent, and a range that is chosen, keep it.
    await page.locator(".scope-form button[type=submit]").click();
    await page.waitForLoadState();
    expect(new URL(page.url()).searchParams.get("currency") === currencies.at(-1), "the form forgets the currency");
    await page.locator(".scope-form .presets a").last().click();
    await page.waitForLoadState();
    expect(new URL(page.url()).searchParams.get("currency") === currencies.at(-1), "a range forgets the currency");
    return currencies.join(", ");
  }));

  await run.check("each chart has its table and its summary", () => run.withPage("/pulse", {}, async (page) => {
    for (const chart of await page.locator("figure.chart").all()) {
      const summary = await chart.locator("[id$=-summary]").textContent();
      expect(summary?.trim().length > 10, "a chart without a summary");
      await chart.locator("details.chart-table > summary").click();
      expect(await chart.locator("tbody tr").count() > 0, "a chart without a table");
    }
  }));

  await run.check("Pulse shows what reaches the bank, and it adds up, at phone width, dark and without scripts", () => run.withPage("/pulse?range=all", { javaScriptEnabled: false, colorScheme: "dark", viewport: { width: 390, height: 844 } }, async (page) => {
    const flows = page.locator(".money .flow");
    expect(await flows.count() >= 1, `no flow: ${await page.locator(".money").innerText()}`);
    const told = [];
    for (const flow of await flows.all()) {
      let above = 0n;
      for (const row of await flow.locator("> table tbody tr").all()) {
        const amount = minor(await row.locator("td").innerText());
        const isSum = (await row.getAttribute("class")) === "sum";
        if (isSum) expect(amount === above, `${await row.innerText()} is not the sum of what is above it: ${above}`);
        else above += amount;
      }
      const kinds = flow.locator("details");
      await kinds.locator("summary").click();
      let sum = 0n;
      for (const cell of await kinds.locator("td").all()) sum += minor(await cell.innerText());
      expect(sum === above, `the kinds of movement add up to ${sum}, not to ${above}`);
      const box = await flow.boundingBox();
      expect(box.x >= 0 && box.x + box.width <= 390, "a flow leaves the page");
      told.push(await flow.locator("caption").first().innerText());
    }
    await page.locator(".money a", { hasText: "All payouts" }).click();
    await page.waitForLoadState();
    expect(new URL(page.url()).pathname === "/finance", `not the payouts: ${page.url()}`);
    return told.join(", ");
  }));

  await run.check("a table sorts by its head and copies as CSV", () => run.withPage("/plugins", { permissions: ["clipboard-read", "clipboard-write"] }, async (page) => {
    const rows = page.locator("main table tbody tr");
    if (await rows.count() < 2) return "fewer than two plugins";
    const names = () => page.locator("main table tbody th a").allInnerTexts();
    await page.locator("main table thead button.sort").first().click();
    const up = await names();
    await page.locator("main table thead button.sort").first().click();
    const down = await names();
    expect(up.join() === [...down].reverse().join() && up[0] < up[1], `not sorted: ${up} / ${down}`);
    await page.locator("button.copy").first().click();
    await page.getByText("Copied").waitFor();
    const csv = await page.evaluate(() => navigator.clipboard.readText());
    expect(csv.startsWith("Plugin,") && csv.includes(down[0]), `not the table: ${csv.slice(0, 80)}`);
  }));

  await run.check("orders lead to an order, its lines and its ledger", () => run.withPage("/orders", {}, async (page) => {
    const rows = await page.locator("main table tbody tr").count();
    expect(rows > 0, "no orders");
    await page.locator("main table tbody tr a").first().click();
    await page.waitForLoadState();
    expect(/^\/orders\/./.test(new URL(page.url()).pathname), `not an order's address: ${page.url()}`);
    const events = await page.locator("#ledger tbody tr").count();
    expect(events > 0, "no ledger events");
    return `${rows} orders on the page, ${events} ledger events`;
  }));

  await run.check("chart code does not load where no chart is", () => run.withPage("/plugins", {}, async (page) => {
    const loaded = await page.evaluate(() => performance.getEntriesByType("resource").map((entry) => entry.name));
    expect(!loaded.some((name) => name.includes("chart-live")), "the chart code is loaded");
    expect(!loaded.some((name) => !name.startsWith(run.baseUrl)), `something comes from elsewhere: ${loaded.join(", ")}`);
  }));

  await run.check("without scripts every page reads", async () => {
    const paths = ["/pulse", "/orders", "/finance", "/rates", "/connections", "/connections/new", "/syncs", "/plugins", "/account", "/setup", "/sign-in/forgot", "/setup/second-factor", "/setup/company", "/setup/first-data", "/admin/company", "/tenants", "/admin/branding", "/admin/domains", "/admin/people", "/admin/roles", "/admin/policies", "/admin/security", "/admin/privacy", "/admin/sign-in-providers", "/sign-in/at", "/admin/api-keys", "/admin/audit"];
    for (const path of paths) {
      await run.withPage(path, { javaScriptEnabled: false }, async (page) => {
        expect(await page.locator("h1").isVisible(), `${path} has no heading`);
        expect(await page.locator("[data-theme-toggle]").isVisible() === false, `${path} offers what only scripts can do`);
        if (path === "/pulse") expect(await page.locator("figure.chart .plot-wide svg").first().isVisible(), "no chart without scripts");
      });
    }
    return `${paths.length} pages`;
  });

  await run.check("an address without a page says so", () => run.withPage("/no-such-page", {}, async (page) => {
    expect((await page.locator("main").innerText()).includes("404"), "no 404 page");
  }));
}
