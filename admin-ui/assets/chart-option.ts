// Turns a specification into ECharts' options: one look for the server's drawing and the browser's.
import { type ChartSpec, type Palette, type Series, compact, toNumber, unitName } from "./chart-spec";

type Option = Record<string, unknown>;

/** Lines up to this number are named at their ends; more need a legend. */
const MOST_DIRECT_LABELS = 4;
const FONT_SIZE = 12;
const MANY_BARS = 12;
const LEGEND_ICON = 12;
const LEGEND_GAP = 14;

/** Generous: the server does not know which font will be there. */
export function textWidth(text: string, fontSize: number): number {
  let width = 0;
  for (const char of text) width += char > "\u2e7f" ? 1 : "iljtfI.,:;'| ".includes(char) ? 0.34 : "mwMW%@".includes(char) ? 0.95 : 0.62;
  return width * fontSize;
}

export function chartOption(spec: ChartSpec, palette: Palette, width: number, fontFamily = "sans-serif"): Option {
  const mains = spec.series.filter((series) => series.role === "main");
  const lines = spec.kind === "line";
  const direct = lines && spec.series.length > 1 && spec.series.length <= MOST_DIRECT_LABELS && width >= 480;
  const legend = !direct && spec.series.length > 1;
  const horizontal = spec.kind === "horizontal_bar";
  const legendHeight = legend ? 20 * legendRows(spec, width) : 0;
  const right = direct ? 92 : horizontal ? 76 : 12;
  // The value axis' labels take about this much on the left.
  const plotWidth = Math.max(width - right - 48, 60);
  return {
    animation: false,
    backgroundColor: "transparent",
    color: palette.series,
    textStyle: { fontSize: FONT_SIZE, fontFamily, color: palette.muted },
    legend: legend ? legendOption(spec, palette) : undefined,
    grid: { left: horizontal ? 8 : 4, right, top: legendHeight + (horizontal ? 6 : 28), bottom: 4, outerBoundsMode: "same", outerBoundsContain: "axisLabel" },
    ...(horizontal
      ? { xAxis: valueAxis(spec, palette, true), yAxis: { ...categoryAxis(spec, palette, width, plotWidth), inverse: true } }
      : { xAxis: categoryAxis(spec, palette, width, plotWidth), yAxis: valueAxis(spec, palette, false) }),
    series: spec.series.flatMap((series) =>
      lines ? lineSeries(spec, series, palette, direct) : barSeries(spec, series, palette, mains.length)),
  };
}

function colorOf(series: Series, palette: Palette): string {
  return series.role === "comparison" ? palette.comparison : palette.series[series.color % palette.series.length] ?? palette.text;
}

function values(spec: ChartSpec, series: Series): (number | null)[] {
  return spec.categories.map((_, index) => toNumber(series.values[index] ?? null, spec.unit));
}

/** How many rows the legend takes, so that the plot starts below it. */
function legendRows(spec: ChartSpec, width: number): number {
  let rows = 1;
  let used = 0;
  for (const series of spec.series) {
    const item = LEGEND_ICON + LEGEND_GAP + 6 + textWidth(series.name, FONT_SIZE);
    if (used > 0 && used + item > width) {
      rows += 1;
      used = 0;
    }
    used += item;
  }
  return rows;
}

function legendOption(spec: ChartSpec, palette: Palette): Option {
  return {
    type: "plain", top: 3, left: 0, itemWidth: LEGEND_ICON, itemHeight: 8, itemGap: LEGEND_GAP, padding: 0, icon: "roundRect", selectedMode: false,
    textStyle: { color: palette.muted, fontSize: FONT_SIZE },
    data: spec.series.map((series) => ({ name: series.name, itemStyle: { color: colorOf(series, palette) } })),
  };
}

function categoryAxis(spec: ChartSpec, palette: Palette, width: number, plotWidth: number): Option {
  // A line ends at the edge of the drawing unless its names stand there: its last label is moved inwards.
  const edge = spec.kind === "line" && width - plotWidth < 80;
  const horizontal = spec.kind === "horizontal_bar";
  return {
    type: "category",
    data: spec.categories.map((category) => category.label),
    boundaryGap: spec.kind !== "line",
    axisLine: { lineStyle: { color: palette.comparison } },
    axisTick: { show: false },
    axisLabel: {
      color: palette.muted, fontSize: FONT_SIZE, margin: 8,
      ...(horizontal ? { width: Math.round(width * 0.34), overflow: "truncate", interval: 0 } : { interval: shownLabels(spec, plotWidth, edge), showMaxLabel: true }),
      ...(spec.kind === "line" ? { alignMinLabel: "left", alignMaxLabel: edge ? "right" : undefined } : {}),
    },
  };
}

/** Evenly spaced labels with the last always among them; the same on the server and in the browser. */
function shownLabels(spec: ChartSpec, plotWidth: number, edge: boolean): (index: number) => boolean {
  const count = spec.categories.length;
  const widest = Math.max(...spec.categories.map((category) => textWidth(category.label, FONT_SIZE)), 1);
  const step = Math.max(1, Math.ceil(((widest * (edge ? 1.5 : 1) + 14) * count) / plotWidth));
  return (index) => (count - 1 - index) % step === 0;
}

function valueAxis(spec: ChartSpec, palette: Palette, horizontal: boolean): Option {
  const counted = spec.unit.kind === "count";
  return {
    type: "value",
    // Bars start at zero; so do lines, unless that would flatten them.
    scale: false,
    splitNumber: 4,
    minInterval: counted ? 1 : undefined,
    name: horizontal ? undefined : unitName(spec.unit),
    nameLocation: "end", nameGap: 10,
    nameTextStyle: { color: palette.muted, fontSize: FONT_SIZE, align: "left", padding: [0, 0, 0, -24] },
    axisLine: { show: false }, axisTick: { show: false },
    // Horizontal bars carry their values themselves.
    axisLabel: { show: !horizontal, color: palette.muted, fontSize: FONT_SIZE, hideOverlap: true, formatter: compact },
    splitLine: { show: !horizontal, lineStyle: { color: palette.grid } },
  };
}

/** One line; two where its end is not finished yet, the second dashed and joined to the first. */
function lineSeries(spec: ChartSpec, series: Series, palette: Palette, direct: boolean): Option[] {
  const all = values(spec, series);
  const color = colorOf(series, palette);
  const compared = series.role === "comparison";
  const unfinished = compared ? undefined : spec.unfinished_from;
  const few = all.filter((value) => value !== null).length === 1;
  const part = (data: (number | null)[], dashed: boolean, last: boolean): Option => ({
    type: "line", name: series.name, data, clip: false, connectNulls: false,
    showSymbol: few, symbol: "circle", symbolSize: 5,
    itemStyle: { color },
    lineStyle: { color, width: compared ? 1.5 : 2, type: dashed || compared ? [4, 4] : "solid", cap: "round", join: "round" },
    z: compared ? 1 : 2,
    emphasis: { disabled: true },
    endLabel: direct && last ? { show: true, formatter: series.name, color, fontSize: FONT_SIZE, distance: 6, width: 82, overflow: "truncate" } : undefined,
    labelLayout: direct ? { moveOverlap: "shiftY" } : undefined,
  });
  if (unfinished === undefined || unfinished >= all.length) return [part(all, false, true)];
  const finished = all.map((value, index) => (index < unfinished ? value : null));
  const open = all.map((value, index) => (index >= unfinished - 1 ? value : null));
  return [part(finished, false, false), part(open, true, true)];
}

/** Bars of one colour; the unfinished ones apart, paler and with a dashed edge. */
function barSeries(spec: ChartSpec, series: Series, palette: Palette, mains: number): Option[] {
  // Beside bars a comparison is a dashed line, so that it is never read as one more channel.
  const horizontal = spec.kind === "horizontal_bar";
  if (series.role === "comparison" && !horizontal) return lineSeries(spec, series, palette, false);
  const all = values(spec, series);
  const color = colorOf(series, palette);
  const stacked = spec.kind === "stacked_bar";
  const many = all.length >= MANY_BARS;
  const open = series.role === "comparison" ? all.length : spec.unfinished_from ?? all.length;
  const part = (data: (number | null)[], finished: boolean): Option => ({
    type: "bar", name: series.name, clip: false, stack: stacked ? "all" : `${series.role} ${series.name}`,
    // One path for many bars: half the drawing time. A gap in it would end the path; a bar of no height
    // shows nothing just as well.
    data: finished && many ? data.map((value) => value ?? 0) : data,
    large: finished && many, largeThreshold: MANY_BARS, progressive: 0,
    barMaxWidth: horizontal ? 18 : 40, barCategoryGap: "28%", barGap: "10%",
    itemStyle: {
      color, borderRadius: stacked || mains > 1 ? 0 : horizontal ? [0, 2, 2, 0] : [2, 2, 0, 0],
      ...(finished ? {} : { opacity: 0.55, borderColor: color, borderType: [3, 3], borderWidth: 1 }),
    },
    emphasis: { disabled: true },
    label: horizontal && mains === 1 && series.role === "main"
      ? { show: true, position: "right", color: palette.text, fontSize: FONT_SIZE, formatter: (point: { value: number }) => named(point.value, spec) }
      : undefined,
  });
  const parts = [part(all.map((value, index) => (index < open ? value : null)), true)];
  if (open < all.length) parts.push(part(all.map((value, index) => (index >= open ? value : null)), false));
  return parts;
}

function named(number: number, spec: ChartSpec): string {
  const unit = unitName(spec.unit);
  return unit ? `${compact(number)}\u202f${unit}` : compact(number);
}
