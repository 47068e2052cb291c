// Both themes at three widths: nothing overflows, nothing serious for axe; pictures on request.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { AxeBuilder, WIDTHS, expect } from "./harness.mjs";

const MOST_HTML_BYTES = 60_000;

/** Fixed addresses, and the first item of each list. */
async function addresses(run) {
  const found = ["/pulse", "/orders", "/finance", "/rates", "/connections", "/connections/new", "/syncs", "/plugins", "/account", "/account/passkeys/new", "/setup", "/sign-in/forgot", "/setup/second-factor", "/setup/company", "/setup/first-data", "/admin/company", "/admin/people", "/admin/roles", "/admin/policies", "/admin/security", "/admin/api-keys", "/admin/audit"];
  for (const [list, link] of [["/orders", "main tbody a"], ["/finance", "main tbody a"], ["/connections", "main tbody a"], ["/syncs", "main tbody a"], ["/plugins", "main tbody a"], ["/connections/new", ".choices a"]]) {
    await run.withPage(list, {}, async (page) => {
      const first = page.locator(link).first();
      if (await first.count() > 0) found.push(await first.getAttribute("href"));
    });
  }
  return found;
}

export async function checkLooks(run) {
  const paths = await addresses(run);

  await run.check("no page overflows sideways", async () => {
    for (const path of paths) {
      await run.withPage(path, {}, async (page) => {
        for (const width of WIDTHS) {
          await page.setViewportSize({ width, height: 900 });
          await page.waitForTimeout(150);
          const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
          expect(overflow <= 0, `${path} at ${width} px is ${overflow} px too wide`);
        }
      });
    }
    return `${paths.length} pages at ${WIDTHS.join(", ")} px`;
  });

  await run.check("axe finds nothing serious", async () => {
    for (const path of paths) {
      for (const colorScheme of ["light", "dark"]) {
        await run.withPage(path, { colorScheme, reducedMotion: "reduce" }, async (page) => {
          const { violations } = await new AxeBuilder({ page }).withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]).analyze();
          const serious = violations.filter((violation) => ["serious", "critical"].includes(violation.impact));
          const told = serious.map((violation) => `${violation.id}: ${violation.nodes.slice(0, 3).map((node) => `${node.target.join(" ")} (${node.failureSummary?.split("\n")[1]?.trim()})`).join("; ")}`);
          expect(serious.length === 0, `${path} (${colorScheme}): ${told.join(" | ")}`);
        });
      }
    }
    return `${paths.length} pages, both themes`;
  });

  await run.check("pages stay within 60 kB", async () => {
    let largest = 0;
    for (const path of paths) {
      await run.withPage(path, { javaScriptEnabled: false }, async (page) => {
        const bytes = gzipSync(await page.content()).length;
        largest = Math.max(largest, bytes);
        expect(bytes <= MOST_HTML_BYTES, `${path} has ${bytes} bytes gzip`);
      });
    }
    return `largest ${(largest / 1000).toFixed(1)} kB gzip`;
  });

  if (run.options.screenshots) await takeScreenshots(run, paths);
}

async function takeScreenshots(run, paths) {
  const folder = run.options.screenshots;
  await mkdir(folder, { recursive: true });
  const order = paths.find((path) => path.startsWith("/orders/"));
  const sync = paths.find((path) => path.startsWith("/syncs/"));
  const payout = paths.find((path) => path.startsWith("/finance/payouts/"));
  const wanted = [["finance", "/finance"], ["payout", payout], ["rates", "/rates"], ["pulse", "/pulse"], ["orders", "/orders"], ["connections", "/connections"], ["order", order], ["sync", sync]];
  await run.check("screenshots", async () => {
    let count = 0;
    for (const [name, path] of wanted.filter(([, path]) => path)) {
      for (const width of name === "pulse" ? WIDTHS : [1440]) {
        for (const colorScheme of ["light", "dark"]) {
          await run.withPage(path, { colorScheme, viewport: { width, height: width === 390 ? 844 : 900 } }, async (page) => {
            await page.waitForTimeout(800);
            await page.screenshot({ path: join(folder, `${name}-${width}-${colorScheme}.png`) });
            count += 1;
          });
        }
      }
    }
    return `${count} pictures in ${folder}`;
  });
}
