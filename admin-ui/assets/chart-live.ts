// The interactive chart: the same options on a canvas, laid over the server's drawing without a jump.
// A canvas, because ECharts writes style attributes into SVG, which the content security policy refuses.
import { BarChart, LineChart } from "echarts/charts";
import { GridComponent, LegendPlainComponent, TooltipComponent } from "echarts/components";
import { type ECharts, init, use } from "echarts/core";
import { LabelLayout } from "echarts/features";
import { CanvasRenderer } from "echarts/renderers";
import { chartOption } from "./chart-option";
import { type ChartSpec, type Palette, full, paletteOf, toNumber } from "./chart-spec";

use([BarChart, LineChart, GridComponent, LegendPlainComponent, TooltipComponent, LabelLayout, CanvasRenderer]);

export class LiveChart {
  private readonly spec: ChartSpec;
  private readonly place: HTMLDivElement;
  private readonly chart: ECharts;
  private readonly resized: ResizeObserver;

  constructor(private readonly plot: HTMLElement) {
    this.spec = JSON.parse(plot.dataset.chart ?? "{}") as ChartSpec;
    this.place = document.createElement("div");
    this.place.className = "plot-live";
    plot.append(this.place);
    this.chart = init(this.place, null, { renderer: "canvas" });
    this.chart.on("click", (point) => {
      const href = this.spec.categories[point.dataIndex]?.href;
      if (href?.startsWith("/")) location.assign(href);
    });
    this.draw();
    plot.classList.add("live");
    this.resized = new ResizeObserver(() => {
      this.chart.resize();
      this.draw();
    });
    this.resized.observe(plot);
  }

  draw(): void {
    const palette = paletteOf(resolvedColor);
    const option = chartOption(this.spec, palette, this.place.clientWidth, getComputedStyle(this.plot).fontFamily);
    this.chart.setOption({ ...option, tooltip: this.tooltip(palette) }, { notMerge: true });
  }

  dispose(): void {
    this.resized.disconnect();
    this.chart.dispose();
    this.place.remove();
    this.plot.classList.remove("live");
  }

  private tooltip(palette: Palette): Record<string, unknown> {
    return {
      trigger: "axis", confine: true, transitionDuration: 0,
      backgroundColor: palette.surface, borderColor: palette.grid, borderWidth: 1, padding: [8, 10],
      axisPointer: { type: this.spec.kind === "line" ? "line" : "shadow", lineStyle: { color: palette.comparison }, shadowStyle: { color: palette.comparison, opacity: 0.12 } },
      formatter: (points: { dataIndex: number }[]) => this.tip(points[0]?.dataIndex ?? 0),
    };
  }

  /** Value, comparison and share at one category. */
  private tip(index: number): HTMLElement {
    const tip = document.createElement("div");
    tip.className = "chart-tip";
    const category = this.spec.categories[index];
    const head = document.createElement("strong");
    head.textContent = category?.full ?? category?.label ?? "";
    tip.append(head);
    const numbers = this.spec.series.map((series) => toNumber(series.values[index] ?? null, this.spec.unit));
    const mains = this.spec.series.filter((series) => series.role === "main").length;
    const total = numbers.reduce<number>((sum, number, at) => sum + (this.spec.series[at]?.role === "main" ? number ?? 0 : 0), 0);
    this.spec.series.forEach((series, at) => {
      const number = numbers[at] ?? null;
      const row = document.createElement("div");
      row.className = "row";
      const color = document.createElement("i");
      if (series.role === "main") color.className = `c${(series.color % 8) + 1}`;
      const name = document.createElement("span");
      const label = series.labels?.[index];
      name.textContent = label ? `${series.name}, ${label}` : series.name;
      const value = document.createElement("b");
      const share = mains > 1 && series.role === "main" && number !== null && total > 0 && number >= 0
        ? ` · ${((number / total) * 100).toFixed(1)}\u202f%` : "";
      value.textContent = number === null ? "–" : full(number, this.spec.unit) + share;
      row.append(color, name, value);
      tip.append(row);
    });
    return tip;
  }
}

/** A token's colour in the theme that holds now; a custom property alone would read `light-dark(…)`. */
function resolvedColor(token: string): string {
  const probe = document.createElement("span");
  probe.hidden = true;
  probe.style.color = `var(--${token})`;
  document.body.append(probe);
  const color = getComputedStyle(probe).color;
  probe.remove();
  return color;
}
