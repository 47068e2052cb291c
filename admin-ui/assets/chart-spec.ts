// The one specification of a chart, as `portolan-charts` writes it. Server and browser draw from it.

export type Unit =
  | { kind: "money"; currency: string; exponent: number }
  | { kind: "count" }
  | { kind: "quantity_milli" }
  | { kind: "per_mille" };

export interface Category {
  label: string;
  full?: string;
  href?: string;
}

export interface Series {
  name: string;
  /** Index into the palette of eight; a channel keeps its own. */
  color: number;
  role: "main" | "comparison";
  /** In the unit's smallest parts; null is a gap. */
  values: (number | null)[];
  /** What each value is of, where it is not the category: the days of a comparison. */
  labels?: string[];
}

export interface ChartSpec {
  kind: "line" | "bar" | "stacked_bar" | "horizontal_bar";
  title: string;
  subtitle: string;
  unit: Unit;
  categories: Category[];
  series: Series[];
  /** From this category on the period is not over yet. */
  unfinished_from?: number;
}

export interface Palette {
  text: string;
  muted: string;
  grid: string;
  surface: string;
  comparison: string;
  series: string[];
}

/** The names of the tokens that a palette is made of. */
export const TOKENS = {
  text: "text", muted: "text-2", grid: "grid", surface: "surface", comparison: "comparison",
  series: ["series-1", "series-2", "series-3", "series-4", "series-5", "series-6", "series-7", "series-8"],
};

export function paletteOf(color: (token: string) => string): Palette {
  return {
    text: color(TOKENS.text), muted: color(TOKENS.muted), grid: color(TOKENS.grid), surface: color(TOKENS.surface),
    comparison: color(TOKENS.comparison), series: TOKENS.series.map(color),
  };
}

const THIN = "\u202f";

function exponentOf(unit: Unit): number {
  if (unit.kind === "money") return unit.exponent;
  return unit.kind === "count" ? 0 : unit.kind === "per_mille" ? 1 : 3;
}

export function unitName(unit: Unit): string {
  return unit.kind === "money" ? unit.currency : unit.kind === "per_mille" ? "%" : "";
}

/** A stored value as the number that is drawn. */
export function toNumber(value: number | null, unit: Unit): number | null {
  return value === null ? null : value / 10 ** exponentOf(unit);
}

function grouped(digits: string): string {
  return digits.replace(/\B(?=(\d{3})+$)/g, THIN);
}

function withSign(number: number, text: string): string {
  return number < 0 ? `\u2212${text}` : text;
}

/** Short, for axes and labels: 1.2M. */
export function compact(number: number): string {
  const size = Math.abs(number);
  for (const [limit, suffix] of [[1e12, "T"], [1e9, "B"], [1e6, "M"], [1e3, "k"]] as const) {
    if (size >= limit) return withSign(number, `${trimmed((size / limit).toFixed(size / limit < 10 ? 1 : 0))}${suffix}`);
  }
  return withSign(number, trimmed(size.toFixed(size < 10 ? 2 : size < 100 ? 1 : 0)));
}

function trimmed(text: string): string {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

/** In full, with its unit: 1 234.50 EUR. */
export function full(number: number, unit: Unit): string {
  const digits = exponentOf(unit);
  const [whole = "0", fraction] = Math.abs(number).toFixed(digits).split(".");
  const shown = unit.kind === "quantity_milli" && fraction ? trimmed(`${whole}.${fraction}`).split(".") : [whole, fraction];
  const text = `${grouped(shown[0] ?? "0")}${shown[1] ? `.${shown[1]}` : ""}`;
  const name = unitName(unit);
  return withSign(number, name ? `${text}${THIN}${name}` : text);
}
