// Light or dark by hand; until then the system's choice holds.
import { redrawCharts } from "./chart";

export function remember(key: "theme" | "nav", value: string): void {
  document.documentElement.dataset[key] = value;
  try {
    localStorage.setItem(`portolan-${key}`, value);
    if (key === "theme") localStorage.setItem("portolan-theme-since", document.documentElement.dataset.themeSince ?? "");
  } catch {
    // The choice holds for this page.
  }
}

export function isDark(): boolean {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

export function toggleTheme(): void {
  remember("theme", isDark() ? "light" : "dark");
  redrawCharts();
}

export function startThemeToggle(): void {
  document.querySelector("[data-theme-toggle]")?.addEventListener("click", toggleTheme);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redrawCharts);
}
