// A form with faults shows them beside the fields and loses nothing; a plugin's consent is explicit.
import { expect } from "./harness.mjs";

export async function checkForms(run) {
  await run.check("a connection form shows errors beside its fields and keeps the input", () => run.withPage("/connections/new", {}, async (page) => {
    const links = await page.locator(".choices a").evaluateAll((found) => found.map((link) => link.getAttribute("href")));
    expect(links.length > 0, "no plugin to choose");
    await page.goto(links.find((href) => href.includes("shopify")) ?? links[0]);
    await page.fill("#label", "Harbour");
    await page.click("main form.form .actions button[type=submit]");
    await page.waitForLoadState();
    expect(await page.locator("[aria-invalid]").count() > 0, "no field is marked");
    expect(await page.locator(".field .error, #consent-error").count() > 0, "no error beside a field");
    expect(await page.inputValue("#label") === "Harbour", "the name that was typed is lost");
    const described = await page.locator("[aria-invalid]").first().getAttribute("aria-describedby");
    expect(described?.includes("-error"), "an error is not tied to its field");
    for (const secret of await page.locator("input[type=password]").all()) {
      expect(await secret.getAttribute("value") === null, "a secret is written into the page");
    }
  }));

  await run.check("a sign-in provider's form is filled in for Google, by keyboard and at phone width", () => run.withPage("/admin/sign-in-providers", { viewport: { width: 390, height: 844 } }, async (page) => {
    await page.focus("text=Fill in what Google needs");
    await page.keyboard.press("Enter");
    await page.waitForURL("**/admin/sign-in-providers?preset=google*");
    expect(await page.inputValue("#issuer") === "https://accounts.google.com", "the issuer is not filled in");
    expect(await page.inputValue("#label") === "Google", "the name is not filled in");
    expect(await page.locator("#client_secret").getAttribute("type") === "password", "the secret is shown");
    const said = await page.locator("section[aria-labelledby=new-title]").innerText();
    expect(said.includes("/callback") || said.includes("--public-address"), `neither the address to register nor why there is none: ${said}`);
  }));

  await run.check("consent names the hosts and is not given beforehand", () => run.withPage("/connections/new", {}, async (page) => {
    await page.locator(".choices a").first().click();
    await page.locator("fieldset.consent").waitFor();
    expect(await page.isChecked("#consent") === false, "consent is given beforehand");
    expect((await page.locator("fieldset.consent").innerText()).length > 40, "consent says nothing");
  }));
}
