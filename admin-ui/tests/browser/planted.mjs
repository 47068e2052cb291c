// Texts that would be scripts, planted wherever people, files and channels bring text; then every page is looked at. None of
// them runs, none breaks the policy: a violation would mean that a text had become markup and only the policy held it.
import { expect } from "./harness.mjs";

/** Each would set `planted` in another way, if a page took it for markup. */
const TEXTS = [
  "<script>window.planted=1</script>",
  "\"><img src=x onerror=window.planted=1>",
  "'><svg/onload=window.planted=1>",
  "</title></textarea></script><script>window.planted=1</script>",
  "javascript:window.planted=1",
  "\" autofocus onfocus=window.planted=1 x=\"",
  "<style>*{background:url(//evil.example/x)}</style>",
  "{{7*7}}${7*7}<%= 7*7 %>",
];
/** Names of people have no spaces. */
const NAME = "\"><img/src=x/onerror=window.planted=1>@evil.example";

/** In the page itself, as its own scripts ask: status, address and JSON of the answer. */
function ask(page, method, path, body) {
  return page.evaluate(async ([method, path, body]) => {
    const headers = body === undefined ? {} : { "content-type": "application/json" };
    const answer = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
    const text = await answer.text();
    return { status: answer.status, url: answer.url, json: text.startsWith("{") || text.startsWith("[") ? JSON.parse(text) : undefined };
  }, [method, path, body]);
}

async function make(page, method, path, body) {
  const answer = await ask(page, method, path, body);
  expect(answer.status < 300, `${method} ${path}: ${answer.status} ${JSON.stringify(answer.json)}`);
  return answer.json;
}

/** A till's export whose every text is one of ours; the last row can't be read, and is shown with its reason. */
function file() {
  const quoted = (text) => `"${text.replaceAll("\"", "\"\"")}"`;
  const rows = TEXTS.map((text, index) => [`${index}${text}`, "2026-03-03 14:05:00", text, text, "1", "3.20", text]);
  rows.push([TEXTS[0], TEXTS[1], TEXTS[2], TEXTS[3], TEXTS[4], TEXTS[5], TEXTS[6]]);
  return ["Order,At,Sku,Title,Quantity,Price,Country", ...rows.map((row) => row.map(quoted).join(","))].join("\n");
}

async function plant(run, page) {
  const pages = ["/account", "/tenants", "/admin/branding", "/admin/domains", "/admin/people", "/admin/roles", "/admin/roles/new", "/admin/api-keys", "/admin/security", "/admin/privacy", "/admin/audit"];
  const role = await make(page, "POST", "/api/v1/roles", { name: `desk-${Date.now()}`, description: TEXTS[0], rules: { "orders:read": "allow" } });
  pages.push(`/admin/roles/${role.name}`);
  for (const text of TEXTS) {
    const team = await make(page, "POST", "/api/v1/teams", { name: text.slice(0, 80) });
    pages.push(`/admin/teams/${team.id}`);
    await make(page, "POST", "/api/v1/api-keys", { name: text, scopes: ["orders:read"], days: 1 });
  }
  // Somebody with such a name joins and is banned for such a reason; somebody else is only invited.
  const invited = await make(page, "POST", "/api/v1/invitations", { name: NAME, roles: ["viewer"] });
  const guest = await run.browser.newContext({ baseURL: run.baseUrl });
  const theirs = await guest.newPage();
  await theirs.goto(new URL(invited.link, run.baseUrl).pathname);
  await theirs.locator("main form button[type=submit]").first().click();
  await theirs.locator("nav.side").waitFor();
  await guest.close();
  await make(page, "POST", "/api/v1/invitations", { name: `open-${NAME}`, roles: ["viewer"] });
  const people = await make(page, "GET", "/api/v1/people");
  const person = (people.data ?? people).find((one) => one.name === NAME.toLowerCase());
  expect(person, "nobody of that name came in");
  await make(page, "POST", `/api/v1/people/${person.id}/ban`, { reason: TEXTS.join(" ").slice(0, 500) });
  pages.push(`/admin/people/${person.id}`);

  for (const text of TEXTS.slice(0, 3)) {
    const columns = { document_key: "Order", placed_at: "At", sku: "Sku", title: "Title", quantity: "Quantity", unit_price: "Price", country: "Country" };
    const config = { orders: { columns, date_formats: ["%Y-%m-%d %H:%M:%S"], currency: "EUR" } };
    const connection = await make(page, "POST", "/api/v1/connections", { plugin_id: "csv", label: text, time_zone: "UTC", config, consent: true });
    const here = `/connections/${connection.id}`;
    const sent = await page.evaluate(async ([here, content, name]) => {
      const form = new FormData();
      form.append("stream", "orders");
      form.append("then", "import");
      form.append("file", new File([content], name, { type: "text/csv" }));
      return (await fetch(`${here}/uploads`, { method: "POST", body: form })).status;
    }, [here, file(), `${text.replaceAll("/", "-")}.csv`]);
    expect(sent === 200, `the file was answered with ${sent}`);
    pages.push(here, `${here}/settings`, `${here}/mapping/orders`, `${here}/upgrade`);
    // What came of it, by the links that people follow.
    for (let tries = 0; tries < 60; tries += 1) {
      const syncs = await make(page, "GET", "/api/v1/syncs?limit=20");
      if (syncs.data.every((sync) => !["queued", "running"].includes(sync.state))) break;
      await page.waitForTimeout(500);
    }
  }
  return pages;
}

/** Addresses of things that a list leads to. */
async function linksOf(page, list, prefix) {
  await page.goto(list);
  const links = await page.locator(`main a[href^="${prefix}"]`).evaluateAll((found) => found.map((link) => link.getAttribute("href")));
  return [...new Set(links)].slice(0, 12);
}

export async function checkPlanted(run) {
  await run.check("texts that would be scripts stay texts on every page", () => run.withPage("/pulse", {}, async (page) => {
    page.on("dialog", (dialog) => dialog.dismiss());
    const pages = await plant(run, page);
    for (const [list, prefix] of [["/orders", "/orders/"], ["/syncs", "/syncs/"], ["/connections", "/connections/"], ["/plugins", "/plugins/"], ["/admin/audit", "/admin/audit/"], ["/finance", "/finance/"]]) {
      pages.push(list, ...await linksOf(page, list, prefix));
    }
    for (const text of TEXTS) pages.push(`/orders?search=${encodeURIComponent(text)}`, `/pulse?range=${encodeURIComponent(text)}`, `/sign-in?next=${encodeURIComponent(text)}`, `/admin/audit?action=${encodeURIComponent(text)}`);
    pages.push("/pulse", "/pulse?range=all", "/rates", "/connections/new", "/connections/new/csv", "/api/docs/problems");
    let shown = 0;
    for (const path of new Set(pages)) {
      await page.goto(path);
      await page.waitForLoadState("load");
      expect(await page.evaluate(() => window.planted) === undefined, `${path}: a planted text ran`);
      const strangers = await page.locator("main img[src='x'], main svg[onload], main [onerror], main [onfocus], main a[href^='javascript:'], body style").count();
      expect(strangers === 0, `${path}: ${strangers} elements that nobody wrote`);
      shown += (await page.content()).includes("window.planted=1") ? 1 : 0;
    }
    expect(shown > 20, `only ${shown} pages show what was planted`);
    return `${new Set(pages).size} pages, ${shown} of them with planted texts`;
  }));
}
