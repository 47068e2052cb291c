// What every check needs: a browser, a signed-in context, and eyes on the console and the policy.
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const require = createRequire(import.meta.url);
export const { AxeBuilder } = require("@axe-core/playwright");

const BROWSER_ARGUMENTS = [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync",
];
export const WIDTHS = [390, 820, 1440];

export function launch() {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: BROWSER_ARGUMENTS });
}

/** A failed expectation; its message is the check's line. */
export class Failed extends Error {}

export function expect(condition, message) {
  if (!condition) throw new Failed(message);
}

/** One run: its checks, what they saw, and how many failed. */
export class Run {
  constructor(browser, options) {
    this.browser = browser;
    this.baseUrl = options.baseUrl.replace(/\/$/, "");
    this.options = options;
    this.storageState = undefined;
    this.failures = 0;
    this.complaints = [];
  }

  /** A context in which violations of the content security policy are kept. */
  async context(settings = {}) {
    const context = await this.browser.newContext({
      baseURL: this.baseUrl, storageState: this.storageState, viewport: { width: 1440, height: 900 }, locale: "en-GB", ...settings,
    });
    context.setDefaultTimeout(10_000);
    await context.addInitScript(() => {
      document.addEventListener("securitypolicyviolation", (event) => {
        console.error(`policy violation: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`);
      });
    });
    context.on("page", (page) => {
      page.on("console", (message) => {
        const text = message.text();
        // A page that answers 4xx on purpose is reported by the browser as a failed resource.
        const expected = /status of 4\d\d/.test(text) && message.location().url.startsWith(this.baseUrl);
        if (message.type() === "error" && !expected) this.complaints.push(`${page.url()}: ${text}`);
      });
      page.on("pageerror", (error) => this.complaints.push(`${page.url()}: ${error.message}`));
    });
    return context;
  }

  /** Runs one check, prints one line. */
  async check(name, body) {
    const startedMs = performance.now();
    const complaintsBefore = this.complaints.length;
    try {
      const note = await body();
      const complaints = this.complaints.slice(complaintsBefore);
      expect(complaints.length === 0, `the page complains: ${complaints.join(" | ")}`);
      const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
      console.log(`ok    ${name}${note ? ` (${note})` : ""} ${seconds} s`);
    } catch (error) {
      this.failures += 1;
      console.log(`FAIL  ${name}: ${error instanceof Failed ? error.message : error.stack}`);
    }
  }

  /** Opens a page of the product in a context of its own. */
  async withPage(path, settings, body) {
    const context = await this.context(settings);
    try {
      const page = await context.newPage();
      await page.goto(path);
      return await body(page);
    } finally {
      await context.close();
    }
  }
}
