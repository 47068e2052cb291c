// Keeps open pages true: the server says over one event stream that a sync moved or that new data
// stands, and the regions concerned ask for themselves again.
import htmx from "htmx.org/dist/htmx.esm.js";
import { releaseCharts, watchCharts } from "./chart";
import { watchTables } from "./tables";

/** Fewer refreshes than this apart are one. */
const QUIET_MS = 500;
/** Screen readers hear at most one announcement in this time. */
const ANNOUNCE_MS = 10_000;

interface Region {
  busy: boolean;
  /** Another event came while busy or quiet. */
  again: boolean;
}

const regions = new WeakMap<HTMLElement, Region>();
let announcedAt = -Infinity;
let announced = "";

function announce(text: string): void {
  const place = document.querySelector("[data-announce]");
  if (!place || !text || text === announced || performance.now() - announcedAt < ANNOUNCE_MS) return;
  announcedAt = performance.now();
  announced = text;
  place.textContent = text;
}

/** Somebody who types or confirms something in a region must not lose it. */
function inUse(element: HTMLElement): boolean {
  const focused = document.activeElement;
  const typing = focused !== null && element.contains(focused) && focused.matches("input, select, textarea");
  return typing || element.querySelector("details.confirm[open]") !== null;
}

async function refresh(element: HTMLElement): Promise<void> {
  const region = regions.get(element) ?? { busy: false, again: false };
  regions.set(element, region);
  if (region.busy) {
    region.again = true;
    return;
  }
  region.busy = true;
  region.again = false;
  const source = element.dataset.src;
  if (source && element.isConnected && !inUse(element)) await swap(element, source);
  else region.again = element.isConnected;
  setTimeout(() => {
    region.busy = false;
    if (region.again) void refresh(element);
  }, QUIET_MS);
}

/** Which tables are sorted, by which column, and how many clicks that took. */
function sortedHeads(element: HTMLElement): [string | null, number, number][] {
  return [...element.querySelectorAll<HTMLTableCellElement>("th[aria-sort]")].map((head) =>
    [head.closest(".scroll")?.getAttribute("aria-label") ?? null, head.cellIndex, head.getAttribute("aria-sort") === "descending" ? 2 : 1]);
}

async function swap(element: HTMLElement, source: string): Promise<void> {
  const sorted = sortedHeads(element);
  const figures = [...element.querySelectorAll(".figure")].map((figure) => figure.textContent);
  const open = [...element.querySelectorAll<HTMLElement>("details[open]")].map((details) => details.parentElement?.id);
  const focused = document.activeElement instanceof HTMLAnchorElement && element.contains(document.activeElement)
    ? document.activeElement.getAttribute("href") : null;
  releaseCharts(element);
  try {
    await htmx.ajax("get", source, { target: element, swap: "innerHTML" });
  } finally {
    watchCharts(element);
    watchTables(element);
  }
  sorted.forEach(([region, head, times]) => {
    const button = [...element.querySelectorAll(".scroll")].find((one) => one.getAttribute("aria-label") === region)
      ?.querySelectorAll("thead th")[head]?.querySelector("button");
    for (let time = 0; time < times; time += 1) button?.click();
  });
  for (const id of open) if (id) document.getElementById(id)?.querySelector("details")?.setAttribute("open", "");
  if (focused) element.querySelector<HTMLElement>(`a[href="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  element.querySelectorAll(".figure").forEach((figure, index) => {
    if (figures.length && figure.textContent !== figures[index]) figure.classList.add("changed");
  });
  announce(element.querySelector<HTMLElement>("[data-announcement]")?.dataset.announcement
    ?? (element.matches("[data-live-data]") ? "Figures updated" : ""));
}

function refreshAll(selector: string): void {
  for (const element of document.querySelectorAll<HTMLElement>(selector)) void refresh(element);
}

function syncMoved(event: MessageEvent<string>): void {
  const { id } = JSON.parse(event.data) as { id: string };
  refreshAll(`[data-live-sync="*"], [data-live-sync="${CSS.escape(id)}"]`);
}

function showState(state: "live" | "lost"): void {
  const dot = document.querySelector<HTMLElement>("[data-live-dot]");
  if (!dot) return;
  dot.hidden = false;
  dot.dataset.state = state;
  dot.textContent = state === "live" ? "Live" : "Reconnecting";
}

/** Whoever was signed out meanwhile sees the sign-in page, not a piece of it. */
function leaveWhenSignedOut(): void {
  document.body.addEventListener("htmx:beforeSwap", (event) => {
    const { detail } = event as CustomEvent<{ xhr: XMLHttpRequest; shouldSwap: boolean }>;
    if (!detail.xhr.responseURL || !new URL(detail.xhr.responseURL).pathname.startsWith("/sign-in")) return;
    detail.shouldSwap = false;
    location.reload();
  });
}

/** Browsers keep few connections to one host: a page that nobody sees holds none. */
export function startLive(): void {
  leaveWhenSignedOut();
  let lost = false;
  let source: EventSource | null = null;
  const close = (): void => {
    source?.close();
    source = null;
  };
  const open = (): void => {
    if (source) return;
    source = new EventSource("/events");
    source.addEventListener("sync", syncMoved);
    source.addEventListener("data", (event: MessageEvent<string>) => {
      // Version 0: messages were missed, so everything may have moved.
      const { version } = JSON.parse(event.data) as { version: number };
      refreshAll(version === 0 ? "[data-live-data], [data-live-sync]" : "[data-live-data]");
    });
    source.addEventListener("open", () => {
      showState("live");
      // What was missed while the stream was away is asked for once. A sync may have ended between the
      // page being written and the stream being open: its last word would be missed without asking.
      refreshAll(lost ? "[data-live-data], [data-live-sync]" : "[data-live-sync]");
      lost = false;
    });
    source.addEventListener("error", () => {
      lost = true;
      showState("lost");
    });
  };
  if (!document.hidden) open();
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) {
      lost = true;
      close();
    } else {
      open();
    }
  });
  addEventListener("pagehide", close);
  addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });
}
