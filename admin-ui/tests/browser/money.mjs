// Exchange rates come in by file and change what Pulse shows. Last of all: the rates stay.
import { expect } from "./harness.mjs";

const ALL = "/pulse?range=all";

async function currenciesOf(run) {
  return run.withPage(ALL, {}, (page) => page.locator(".currencies .presets a").allInnerTexts());
}

async function importRates(page, text) {
  await page.locator("input[type=file]").setInputFiles({ name: "rates.csv", mimeType: "text/csv", buffer: Buffer.from(text) });
  await page.locator("form[action='/rates/import'] button").click();
  await page.waitForLoadState();
}

export async function checkMoney(run) {
  await run.check("a file of rates with an error says which line", () => run.withPage("/rates", {}, async (page) => {
    await importRates(page, "date,base,quote,rate\n2026-01-01,EUR,USD,1.1\nyesterday,EUR,USD,1.1\n");
    const told = await page.locator("main").innerText();
    expect(told.includes("Line 3") && told.includes("YYYY-MM-DD"), `not told: ${told.slice(0, 300)}`);
  }));

  await run.check("with rates, amounts of all currencies are one figure", async () => {
    const currencies = await currenciesOf(run);
    const into = await run.withPage("/rates", {}, async (page) => {
      const scope = await page.locator("p.scope").innerText();
      const into = scope.match(/into ([A-Z]{3})/)?.[1];
      expect(into !== undefined, `no reporting currency: ${scope}`);
      const rows = currencies.filter((currency) => currency !== into).map((currency) => `2026-01-01,${into},${currency},2`);
      if (rows.length === 0) rows.push(`2026-01-01,${into},XAU,2`);
      await importRates(page, `date,base,quote,rate\n${rows.join("\n")}\n`);
      expect(await page.locator("main tbody tr").count() === rows.length, "not every pair is listed");
      await page.locator("select[name=policy]").selectOption("fixed");
      await page.locator("form[action='/rates/policy'] button").click();
      await page.waitForLoadState();
      expect(await page.locator("select[name=policy]").inputValue() === "fixed", "the policy is not kept");
      return into;
    });
    await run.withPage(ALL, {}, async (page) => {
      const units = new Set(await page.locator(".kpi .unit").allInnerTexts());
      expect([...units].join() === into, `figures in ${[...units].join(", ")}, not in ${into} alone`);
      await page.locator(".currencies a", { hasText: "as they were sold" }).click();
      await page.waitForLoadState();
      const apart = await page.locator(".currencies .presets a").allInnerTexts();
      expect(apart.join() === currencies.join(), `as sold: ${apart.join(", ")}, before: ${currencies.join(", ")}`);
      await page.locator(".currencies a", { hasText: `Convert into ${into}` }).click();
      await page.waitForLoadState();
      expect(new URL(page.url()).searchParams.get("range") === "all", "the range is forgotten");
    });
    return `${currencies.join(", ") || into} into ${into}`;
  });
}
