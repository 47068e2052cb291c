// The API explorer works under a policy that lets nothing inline run but its logo's own style.
import { expect } from "./harness.mjs";

export async function checkExplorer(run) {
  await run.check("the API explorer opens, unfolds and asks, and breaks no policy", () => run.withPage("/api/docs/", {}, async (page) => {
    await page.locator(".opblock").first().waitFor();
    const operations = await page.locator(".opblock").count();
    expect(operations > 50, `only ${operations} operations`);
    const orders = page.locator("[id*='list_orders'].opblock").first();
    await orders.locator(".opblock-summary-control").click();
    await orders.locator(".try-out__btn").click();
    await orders.locator(".execute").click();
    const status = orders.locator(".live-responses-table tbody .response-col_status").first();
    await status.waitFor();
    expect((await status.innerText()).startsWith("200"), `the question was answered with ${await status.innerText()}`);
    await page.locator(".models-control").first().click();
    return `${operations} operations`;
  }));
}
