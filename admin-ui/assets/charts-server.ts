// Draws a chart as SVG inside the server, where there is no DOM and no timer.
import { BarChart, LineChart } from "echarts/charts";
import { GridComponent, LegendPlainComponent } from "echarts/components";
import { init, setPlatformAPI, use } from "echarts/core";
import { LabelLayout } from "echarts/features";
import { SVGRenderer } from "echarts/renderers";
import { chartOption, textWidth } from "./chart-option";
import { type ChartSpec, paletteOf } from "./chart-spec";

/** Colours of the tokens per theme, from tokens.css by build.mjs. */
declare const THEME_TOKENS: Record<"light" | "dark", Record<string, string>>;

use([BarChart, LineChart, GridComponent, LegendPlainComponent, LabelLayout, SVGRenderer]);
setPlatformAPI({
  measureText: (text: string, font?: string) => ({ width: textWidth(text, Number(/(\d+)px/.exec(font ?? "")?.[1] ?? 12)) }),
});

function render(specJson: string, width: number, height: number, theme: string): string {
  const spec = JSON.parse(specJson) as ChartSpec;
  const onPage = theme === "page";
  // On a page the colours stay custom properties, so that one drawing serves both themes.
  const tokens = theme === "dark" ? THEME_TOKENS.dark : THEME_TOKENS.light;
  const palette = paletteOf((token) => onPage ? `var(--${token})` : tokens[token] ?? "currentColor");
  const chart = init(null, null, { renderer: "svg", ssr: true, width, height });
  try {
    chart.setOption(chartOption(spec, palette, width));
    // The painter itself, because `renderToSVGString` cannot leave out hover styles and animations.
    const painter = chart.getZr().painter as unknown as { renderToString(options: object): string };
    const svg = painter.renderToString({ cssAnimation: false, cssEmphasis: false, useViewBox: true });
    return tidy(svg, onPage ? "" : `${spec.title}. ${spec.subtitle}`);
  } finally {
    chart.dispose();
  }
}

/** Style attributes become presentation attributes, bookkeeping goes, coordinates keep one decimal. */
function tidy(svg: string, title: string): string {
  const tidied = svg
    .replace(/<[^>]+>/g, (tag) => tag
      .replace(/ style="([^"]*)"/g, (_, style: string) => presentation(style))
      .replace(/ (?:ecmeta_[a-z_]+|class|xml:space|xmlns:xlink|baseProfile|version)="[^"]*"/g, "")
      .replace(/ stroke-miterlimit="10"| fill-opacity="1"| paint-order="stroke"| dominant-baseline="auto"/g, "")
      .replace(/-?\d+\.\d{2,}/g, (number) => String(Math.round(Number(number) * 10) / 10)))
    .replace(/\n/g, "");
  if (!title) return tidied;
  const escaped = title.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  return tidied.replace(/^<svg([^>]*)>/, (_, attributes: string) => `<svg${attributes} role="img" font-family="sans-serif"><title>${escaped}</title>`);
}

function presentation(style: string): string {
  let attributes = "";
  for (const declaration of style.split(";")) {
    const [name = "", value = ""] = declaration.split(":").map((part) => part.trim());
    if (name === "font-size") attributes += ` font-size="${value.replace("px", "")}"`;
    else if (name === "font-weight" && value !== "normal") attributes += ` font-weight="${value}"`;
    else if (name === "font-style" && value !== "normal") attributes += ` font-style="${value}"`;
  }
  return attributes;
}

(globalThis as unknown as { render: typeof render }).render = render;
