// A connection as a person makes and changes it: nested form, settings, conflict, secret, columns of a file.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { AxeBuilder, WIDTHS, expect } from "./harness.mjs";

/** A till's export as German office programs write it: a preamble, semicolons, decimal commas, Windows-1252. */
const TILL_LINES = [
  "Kassenexport M\xfcnchen;;;;;;",
  "Beleg-Nr.;Datum;Artikelnr.;Bezeichnung;Menge;Einzelpreis;E-Mail",
  "9001;03.03.2026 14:05;K-1;K\xe4se;2;1.234,50;a@b.example",
  "9002;13.03.2026 09:30;B-2;Brot;1;3,20;",
  "9003;14.03.2026 09:30;B-2;Brot;1;gratis;",
];
const TILL = Buffer.from(`${TILL_LINES.join("\r\n")}\r\n`, "latin1");
const SANDBOX_TOKEN = "shpat_sandbox";

const field = (page, name) => page.locator(`[id="${name}"]`);
const submit = (page, text) => page.locator("main form.form .actions").getByRole("button", { name: text, exact: true }).click();

async function errorBeside(page, name) {
  const described = await field(page, name).getAttribute("aria-describedby");
  const id = described?.split(" ").find((id) => id.endsWith("-error"));
  expect(id, `no error beside ${name}`);
  return page.locator(`[id="${id}"]`).innerText();
}

/** Nothing serious for axe, which is a script itself, nothing too wide; pictures of both themes on request. */
async function look(run, page, name, { scripts = true } = {}) {
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: 900 });
      await page.waitForTimeout(100);
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      expect(overflow <= 0, `${name} at ${width} px is ${overflow} px too wide`);
      if (run.options.screenshots) {
        await mkdir(run.options.screenshots, { recursive: true });
        await page.screenshot({ path: join(run.options.screenshots, `${name}-${colorScheme}-${width}.png`), fullPage: true });
      }
    }
    if (!scripts) continue;
    const { violations } = await new AxeBuilder({ page }).withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]).analyze();
    const serious = violations.filter((violation) => ["serious", "critical"].includes(violation.impact));
    expect(serious.length === 0, `${name} (${colorScheme}): ${serious.map((violation) => `${violation.id}: ${violation.nodes[0].target}`).join(" | ")}`);
  }
  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize({ width: 1440, height: 900 });
}

export async function checkConnections(run) {
  const label = `Till ${Date.now()}`;
  let connection;

  await run.check("a nested form is filled in, grows, shows its errors and comes back, without scripts", () =>
    run.withPage("/connections/new/csv", { javaScriptEnabled: false }, async (page) => {
      expect(await page.locator("textarea").count() === 0, "something is still typed as JSON");
      await page.locator("summary", { hasText: "Orders" }).click();
      await field(page, "label").fill(label);
      await field(page, "orders.columns.placed_at").fill("Datum");
      const formats = field(page, "orders.date_formats");
      await formats.getByRole("button", { name: "Add" }).click();
      await field(page, "orders.date_formats.0").fill("%d.%m.%Y");
      await formats.getByRole("button", { name: "Add" }).click();
      await field(page, "orders.date_formats.1").fill("%Y");
      await formats.getByRole("button", { name: "Remove entry 2" }).click();
      expect(await formats.locator("input[type=text]").count() === 1, "the entry is still there");
      await page.locator("#consent").check();
      await submit(page, "Connect");
      expect((await errorBeside(page, "orders.columns.document_key")).includes("required"), "another error");
      expect(await field(page, "orders.columns.placed_at").inputValue() === "Datum", "what was typed is lost");
      expect(await field(page, "orders.date_formats.0").inputValue() === "%d.%m.%Y", "an entry is lost");
      await field(page, "orders.columns.document_key").fill("Beleg");
      await submit(page, "Connect");
      // What the plugin alone knows: without an amount and a currency nothing can be read.
      expect((await page.locator("#form-errors").innerText()).includes("quantity and unit_price"), "the plugin was not asked");
      await look(run, page, "connection-form-errors", { scripts: false });
      for (const [name, column] of [["quantity", "Menge"], ["unit_price", "Preis"]]) await field(page, `orders.columns.${name}`).fill(column);
      await field(page, "orders.currency").fill("EUR");
      await field(page, "orders.decimal_mark").selectOption(",");
      await submit(page, "Connect");
      connection = new URL(page.url()).pathname;
      expect(/^\/connections\/[0-9a-f-]{36}$/.test(connection), `not connected: ${page.url()}`);
      const settings = await page.locator("section", { hasText: "Settings" }).last().innerText();
      expect(settings.includes("Orders › Columns › Date") || (await page.locator("main").innerText()).includes("Orders › Columns › Date"), "the settings are not told in words");
    }));
  if (!connection) return;

  await run.check("settings are changed in the same form", () => run.withPage(`${connection}/settings`, {}, async (page) => {
    expect(await field(page, "orders.columns.placed_at").inputValue() === "Datum", "the form is not filled in");
    expect(await field(page, "orders.decimal_mark").inputValue() === ",", "a choice is not filled in");
    await field(page, "orders.columns.country").fill("Land");
    await submit(page, "Save");
    await page.getByText("Saved", { exact: false }).first().waitFor();
    expect(await field(page, "orders.columns.country").inputValue() === "Land", "the change is not stored");
    await look(run, page, "connection-settings");
  }));

  await run.check("of two people at the same settings the second is told", () => run.withPage(`${connection}/settings`, {}, async (page) => {
    const other = await page.context().newPage();
    await other.goto(`${connection}/settings`);
    await field(other, "orders.columns.country").fill("Staat");
    await submit(other, "Save");
    await other.waitForURL(/done=settings-saved/);
    await field(page, "orders.columns.country").fill("Lieferland");
    await submit(page, "Save");
    await page.locator("table.conflict").waitFor();
    const told = await page.locator("table.conflict").innerText();
    expect(told.includes("Staat") && told.includes("Lieferland"), `the conflict says ${told}`);
    expect(await field(page, "orders.columns.country").inputValue() === "Lieferland", "what was typed is lost");
    await look(run, page, "connection-settings-conflict");
    await submit(page, "Save");
    await page.waitForURL(/done=settings-saved/);
    expect(await field(page, "orders.columns.country").inputValue() === "Lieferland", "the decision is not stored");
  }));

  await run.check("a secret is replaced and checked, and never shown", () => run.withPage("/connections", {}, async (page) => {
    const shop = page.locator("main tbody a", { hasText: "Lotus" });
    if (await shop.count() === 0) return "no shop with a secret";
    await page.goto(`${await shop.first().getAttribute("href")}/settings`);
    expect((await field(page, "secrets").innerText()).includes("Set on"), "nobody says when it was set");
    const replace = async (token) => {
      await field(page, "access_token").fill(token);
      await submit(page, "Save");
      await page.locator("#check-title").waitFor();
      expect(!(await page.content()).includes(token), "the secret is in the page");
      return page.locator("main .notice").first().innerText();
    };
    expect((await replace("shpat_nobody_knows")).includes("check failed"), "a wrong secret passes");
    expect((await replace(SANDBOX_TOKEN)).includes("accepts it"), "the right secret does not pass");
    await look(run, page, "connection-settings-secret");
  }));

  await run.check("the columns of a file are suggested, looked at, corrected and saved", () => run.withPage(connection, {}, async (page) => {
    await page.locator("#file").setInputFiles({ name: "kasse.csv", mimeType: "text/csv", buffer: TILL });
    await page.getByRole("button", { name: "Upload and look at its columns first" }).click();
    await page.waitForURL(/\/mapping\/orders/);
    const seen = await page.locator("main").innerText();
    for (const told of ["windows-1252", "semicolon", "line 2", "K\xe4se"]) expect(seen.includes(told), `it does not say ${told}`);
    const suggested = { document_key: "Beleg-Nr.", placed_at: "Datum", sku: "Artikelnr.", title: "Bezeichnung", quantity: "Menge", unit_price: "Einzelpreis" };
    for (const [name, column] of Object.entries(suggested)) {
      const value = await field(page, `orders.columns.${name}`).inputValue();
      expect(value === column, `${name} is ${value}`);
    }
    expect(await page.getByLabel("E-Mail").isChecked(), "a mail address is not dropped");
    const preview = page.locator("#preview");
    const became = (await preview.innerText()).replace(/\s/g, " ");
    expect(became.includes("2 469.00") && became.includes("3 Mar 2026 14:05"), `amount or date are read otherwise: ${became}`);
    expect(became.includes("gratis"), "the row that can't be read is not told");
    await look(run, page, "connection-mapping");

    // The other mark makes two thousand of two: seen before anything is imported.
    await field(page, "orders.decimal_mark").selectOption(".");
    await submit(page, "Show the first rows");
    expect((await page.locator("#preview").innerText()).includes("is not a number"), "a wrong mark is not told");
    await field(page, "orders.decimal_mark").selectOption(",");
    await submit(page, "Save");
    await page.waitForURL(/done=mapping-saved/);
    expect((await page.locator("main").innerText()).includes("waits for the next sync"), "the file no longer waits");
    await page.getByRole("link", { name: "Look at its columns" }).click();
    await page.locator("#preview").waitFor();
    expect(await field(page, "orders.columns.document_key").inputValue() === "Beleg-Nr.", "the mapping is not stored");
    await page.goto(connection);
    await page.getByRole("button", { name: "Take away" }).click();
    await page.waitForURL(/done=file-removed/);
  }));

  await run.check("pasted lines are enough to choose columns", () => run.withPage(`${connection}/mapping/products`, {}, async (page) => {
    await field(page, "pasted").fill("Artikelnummer\tBezeichnung\tPreis\nA-1\tTee\t4,50\n");
    await page.getByRole("button", { name: "Look", exact: true }).click();
    await page.locator("#preview").waitFor();
    expect(await field(page, "products.columns.key").inputValue() === "Artikelnummer", "the key is not suggested");
    expect((await page.locator("#look-title + dl").innerText()).includes("tab"), "the tab is not seen");
  }));
}
