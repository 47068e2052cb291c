// Ctrl-K or `/` opens the palette, `?` the list of keys, `g` and a letter goes to a page.
import { remember, toggleTheme } from "./theme-toggle";

interface Command {
  text: string;
  hint: string;
  run: () => void;
}

function toggleNavigation(): void {
  remember("nav", document.documentElement.dataset.nav === "narrow" ? "wide" : "narrow");
}

function commands(): Command[] {
  const found: Command[] = [];
  for (const link of document.querySelectorAll<HTMLAnchorElement>("nav.side a[data-key]")) {
    found.push({ text: link.textContent?.trim() ?? "", hint: `g ${link.dataset.key}`, run: () => location.assign(link.href) });
  }
  for (const link of document.querySelectorAll<HTMLAnchorElement>(".page-actions a.button")) {
    found.push({ text: link.textContent?.trim() ?? "", hint: "this page", run: () => location.assign(link.href) });
  }
  if (document.body.dataset.signedIn !== undefined) {
    found.push({ text: "Connect a channel", hint: "", run: () => location.assign("/connections/new") });
    found.push({ text: "Fold or unfold the navigation", hint: "[", run: toggleNavigation });
  }
  found.push({ text: "Switch between light and dark", hint: "", run: toggleTheme });
  found.push({ text: "List of keys", hint: "?", run: showKeys });
  return found.filter((command, index) => found.findIndex((other) => other.text === command.text) === index);
}

function element<K extends keyof HTMLElementTagNameMap>(tag: K, attributes: Record<string, string>, text = ""): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text) made.textContent = text;
  return made;
}

function openDialog(dialog: HTMLDialogElement): void {
  document.querySelector("dialog[open]")?.remove();
  document.body.append(dialog);
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  dialog.showModal();
}

function openPalette(): void {
  const dialog = element("dialog", { class: "palette", "aria-label": "Go to" });
  const input = element("input", {
    type: "search", role: "combobox", "aria-label": "Go to a page or an order number", placeholder: "Go to a page or an order number…",
    "aria-expanded": "true", "aria-controls": "palette-list", autocomplete: "off",
  });
  const list = element("ul", { id: "palette-list", role: "listbox", "aria-label": "Results" });
  const every = commands();
  let shown: Command[] = [];
  let selected = 0;

  const draw = (): void => {
    const wanted = input.value.trim().toLowerCase();
    shown = every.filter((command) => command.text.toLowerCase().includes(wanted));
    if (wanted && document.body.dataset.signedIn !== undefined) {
      const number = input.value.trim();
      shown.push({ text: `Orders with number ${number}`, hint: "", run: () => location.assign(`/orders?q=${encodeURIComponent(number)}`) });
    }
    selected = Math.min(selected, Math.max(shown.length - 1, 0));
    list.replaceChildren(...shown.map((command, index) => {
      const row = element("li", { role: "option", id: `palette-${index}`, "aria-selected": String(index === selected) }, command.text);
      if (command.hint) row.append(element("kbd", {}, command.hint));
      row.addEventListener("click", () => pick(index));
      return row;
    }));
    input.setAttribute("aria-activedescendant", shown.length ? `palette-${selected}` : "");
    list.children[selected]?.scrollIntoView({ block: "nearest" });
  };
  const pick = (index: number): void => {
    dialog.close();
    shown[index]?.run();
  };
  input.addEventListener("input", () => { selected = 0; draw(); });
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      selected = (selected + (event.key === "ArrowDown" ? 1 : shown.length - 1)) % Math.max(shown.length, 1);
      draw();
    } else if (event.key === "Enter") {
      event.preventDefault();
      pick(selected);
    }
  });
  dialog.append(input, list);
  openDialog(dialog);
  draw();
  input.focus();
}

function showKeys(): void {
  const dialog = element("dialog", { class: "keys", "aria-labelledby": "keys-title" });
  const list = element("dl", {});
  const rows: [string, string][] = [["Ctrl K", "go to a page"], ["/", "the same"], ["?", "this list"], ["[", "fold the navigation"], ["Esc", "close"]];
  for (const link of document.querySelectorAll<HTMLAnchorElement>("nav.side a[data-key]")) {
    rows.push([`g ${link.dataset.key}`, link.textContent?.trim() ?? ""]);
  }
  for (const [key, meaning] of rows) {
    const term = element("dt", {});
    term.append(element("kbd", {}, key));
    list.append(term, element("dd", {}, meaning));
  }
  const close = element("button", { type: "button" }, "Close");
  close.addEventListener("click", () => dialog.close());
  dialog.append(element("h2", { id: "keys-title" }, "Keys"), list, close);
  openDialog(dialog);
}

export function startKeys(): void {
  document.querySelector("[data-palette-open]")?.addEventListener("click", openPalette);
  let goPressedAt = -Infinity;
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "k") {
      event.preventDefault();
      openPalette();
      return;
    }
    const target = event.target as HTMLElement;
    if (event.ctrlKey || event.metaKey || event.altKey || target.closest("input, select, textarea, dialog")) return;
    if (event.timeStamp - goPressedAt < 1000) {
      const link = document.querySelector<HTMLAnchorElement>(`nav.side a[data-key="${CSS.escape(event.key)}"]`);
      goPressedAt = -Infinity;
      if (link) return location.assign(link.href);
    }
    if (event.key === "g") goPressedAt = event.timeStamp;
    else if (event.key === "[") toggleNavigation();
    else if (event.key === "?") showKeys();
    else if (event.key === "/") {
      event.preventDefault();
      openPalette();
    }
  });
}
