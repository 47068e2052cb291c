// Serves the sample pages with their bundled assets, for looking at and for developing the browser
// tests: `cargo run -p portolan-admin-ui --example preview -- DIR && node preview.mjs DIR [port]`.
// It answers like the product does where a page needs it: the live stream, refreshed regions, the
// content security policy, a form that fails.
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { createContext, runInContext } from "node:vm";

const root = dirname(fileURLToPath(import.meta.url));
const [pages = "target/preview", port = "8099"] = process.argv.slice(2);
const TYPES = { ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml" };
const CSP = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

const drawing = createContext({});
runInContext(await readFile(join(root, "dist/charts-server.js"), "utf8"), drawing);

function fileOf(path) {
  const known = {
    "/": "pulse", "/connections/new": "connections-new", "/connections/new/shopify": "connections-new-shopify",
    "/sign-in/link/sample": "sign-in-link",
  };
  if (known[path]) return known[path];
  const [, first, second] = path.split("/");
  if (second && ["connections", "syncs", "orders", "plugins"].includes(first)) return first.slice(0, -1);
  return first;
}

/** Puts the server's drawings where the samples leave room for them. */
function withDrawings(html) {
  return html.replace(/data-chart="([^"]*)"([^]*?)<svg[^]*?<\/svg>([^]*?)<svg[^]*?<\/svg>/g, (_, escaped, before, between) => {
    const spec = escaped.replaceAll("&#34;", '"').replaceAll("&#39;", "'").replaceAll("&#60;", "<").replaceAll("&#62;", ">").replaceAll("&#38;", "&");
    const draw = (width, height) => runInContext(`render(${JSON.stringify(spec)}, ${width}, ${height}, "page")`, drawing);
    return `data-chart="${escaped}"${before}${draw(560, 260)}${between}${draw(340, 240)}`;
  });
}

createServer(async (request, response) => {
  const path = new URL(request.url, "http://preview").pathname;
  const send = (status, type, body) => {
    response.writeHead(status, { "content-type": `${type}; charset=utf-8`, "content-security-policy": CSP });
    response.end(body);
  };
  try {
    if (path === "/events") {
      response.writeHead(200, { "content-type": "text/event-stream" });
      const timer = setInterval(() => {
        response.write(`event: sync\ndata: {"id":"01932f1c-0000-7000-8000-00000000000a"}\n\n`);
        response.write(`event: data\ndata: {"version":${Date.now()}}\n\n`);
      }, 1500);
      request.on("close", () => clearInterval(timer));
    } else if (path.startsWith("/assets/")) {
      send(200, TYPES[extname(path)] ?? "application/octet-stream", await readFile(join(root, "dist", path.slice(8))));
    } else if (request.method === "POST") {
      const refused = { "/sign-in": "sign-in-error", "/connections/new/shopify": "connections-new-shopify-errors" }[path];
      if (refused) {
        send(422, "text/html", await readFile(join(pages, `${refused}.html`)));
      } else {
        response.writeHead(303, { location: path.startsWith("/sign-in/link") ? "/pulse" : dirname(path) }).end();
      }
    } else {
      const suffix = request.headers["hx-request"] ? ".body.html" : ".html";
      send(200, "text/html", withDrawings(await readFile(join(pages, fileOf(path) + suffix), "utf8")));
    }
  } catch {
    send(404, "text/html", await readFile(join(pages, "not-found.html")));
  }
}).listen(Number(port), "127.0.0.1", () => console.log(`http://127.0.0.1:${port}/`));
