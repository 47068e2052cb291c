// Bundles scripts and styles into dist/ with hashed names, and writes dist/manifest.json:
// logical name → file, one pair a line (build.rs reads it).
import { createHash } from "node:crypto";
import { mkdir, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const root = dirname(fileURLToPath(import.meta.url));
const assets = join(root, "assets");
const dist = join(root, "dist");
// Budgets in bytes; gzip for scripts, since that is what travels.
const LIMITS = { css: 20_000, firstScripts: 40_000 };

const common = { bundle: true, minify: true, legalComments: "none", logLevel: "warning", absWorkingDir: root };

async function bundleForBrowser() {
  const result = await build({
    ...common,
    entryPoints: ["app.ts", "theme.ts", "app.css"].map((file) => join(assets, file)),
    outdir: dist, write: false, metafile: true, format: "esm", splitting: true, target: ["es2022", "chrome123", "firefox120", "safari17.5"],
    entryNames: "[name]-[hash]", chunkNames: "chunk-[name]-[hash]",
  });
  const files = new Map();
  const names = new Map();
  for (const file of result.outputFiles) files.set(basename(file.path), Buffer.from(file.contents));
  for (const [path, output] of Object.entries(result.metafile.outputs)) {
    const file = basename(path);
    names.set(output.entryPoint && !file.startsWith("chunk-") ? logicalName(output.entryPoint) : file, file);
  }
  return { files, names, outputs: result.metafile.outputs };
}

function logicalName(entryPoint) {
  return basename(entryPoint).replace(/\.ts$/, ".js");
}

async function copyHashed(files, names) {
  for (const name of ["icons.svg", "favicon.svg"]) {
    const content = await readFile(join(assets, name));
    const hash = createHash("sha256").update(content).digest("hex").slice(0, 8).toUpperCase();
    const file = `${basename(name, extname(name))}-${hash}${extname(name)}`;
    files.set(file, content);
    names.set(name, file);
  }
}

/** `--name: light-dark(a, b)` of tokens.css, for charts outside a page. */
async function themeTokens() {
  const themes = { light: {}, dark: {} };
  const css = await readFile(join(assets, "tokens.css"), "utf8");
  for (const [, name, light, dark] of css.matchAll(/--([\w-]+):\s*light-dark\((#\w+),\s*(#\w+)\)/g)) {
    themes.light[name] = light;
    themes.dark[name] = dark;
  }
  return themes;
}

async function bundleForServer() {
  const result = await build({
    ...common,
    entryPoints: [join(assets, "charts-server.ts")], write: false, format: "iife", target: "es2020", platform: "neutral",
    mainFields: ["module", "main"],
    define: { THEME_TOKENS: JSON.stringify(await themeTokens()), "process.env.NODE_ENV": '"production"' },
    // ECharts looks for timers while it loads; a drawing never waits for one.
    banner: { js: "globalThis.setTimeout??=()=>0;globalThis.clearTimeout??=()=>{};" },
  });
  return Buffer.from(result.outputFiles[0].contents);
}

async function replaceDist(files) {
  await mkdir(dist, { recursive: true });
  for (const old of await readdir(dist)) if (!files.has(old)) await rm(join(dist, old), { recursive: true });
  for (const [name, content] of files) {
    // Unchanged files keep their time, so that cargo does not build again for nothing.
    const path = join(dist, name);
    const same = await stat(path).then(() => readFile(path)).then((was) => was.equals(content)).catch(() => false);
    if (!same) await writeFile(path, content);
  }
}

/** Size of the entry script and everything it imports at once. */
function firstScripts(outputs, files) {
  const wanted = new Set();
  const visit = (path) => {
    if (wanted.has(path)) return;
    wanted.add(path);
    for (const used of outputs[path].imports) if (used.kind === "import-statement") visit(used.path);
  };
  for (const [path, output] of Object.entries(outputs)) if (/(app|theme)\.ts$/.test(output.entryPoint ?? "")) visit(path);
  return [...wanted].reduce((sum, path) => sum + gzipSync(files.get(basename(path))).length, 0);
}

const { files, names, outputs } = await bundleForBrowser();
await copyHashed(files, names);
const scriptBytes = firstScripts(outputs, files);
const cssBytes = gzipSync(files.get(names.get("app.css"))).length;
files.set("charts-server.js", await bundleForServer());
const lines = [...names].sort(([a], [b]) => a.localeCompare(b)).map(([name, file]) => `  ${JSON.stringify(name)}: ${JSON.stringify(file)}`);
files.set("manifest.json", Buffer.from(`{\n${lines.join(",\n")}\n}\n`));
await replaceDist(files);

const kilobytes = (bytes) => `${(bytes / 1000).toFixed(1)} kB`;
console.log(`scripts before interaction ${kilobytes(scriptBytes)} gzip, styles ${kilobytes(cssBytes)} gzip, server charts ${kilobytes(files.get("charts-server.js").length)}`);
if (scriptBytes > LIMITS.firstScripts || cssBytes > LIMITS.css) {
  console.error(`over budget: scripts ${LIMITS.firstScripts}, styles ${LIMITS.css} bytes gzip`);
  process.exit(1);
}
