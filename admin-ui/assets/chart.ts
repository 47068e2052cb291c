// Server-drawn charts become interactive when they come near the view; until then no chart code loads.
import type { LiveChart } from "./chart-live";

const live = new Map<HTMLElement, LiveChart>();

const observer = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    if (!entry.isIntersecting) continue;
    observer.unobserve(entry.target);
    void bringToLife(entry.target as HTMLElement);
  }
}, { rootMargin: "200px" });

async function bringToLife(plot: HTMLElement): Promise<void> {
  const { LiveChart } = await import("./chart-live");
  // The region may have been refreshed while the code was loading.
  if (!plot.isConnected || live.has(plot)) return;
  live.set(plot, new LiveChart(plot));
}

export function watchCharts(root: HTMLElement): void {
  for (const plot of root.querySelectorAll<HTMLElement>("[data-chart]")) observer.observe(plot);
}

/** Before the region is replaced. */
export function releaseCharts(root: HTMLElement): void {
  for (const [plot, chart] of live) {
    if (!root.contains(plot)) continue;
    chart.dispose();
    live.delete(plot);
  }
}

/** After the theme changed. */
export function redrawCharts(): void {
  for (const chart of live.values()) chart.draw();
}
