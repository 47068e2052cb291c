// Tables that are whole on the page sort by their heads and can be copied as CSV.
// A page of a longer list is not sorted here: the order of fifty rows would pass for the order of all.

const THIN_SPACES = /[\u202f\u2009\u00a0]/g;

/** How a cell compares: by its moment, else its number, else its words. */
function sortKey(cell: Element | undefined): number | string {
  const moment = cell?.querySelector("time")?.getAttribute("datetime");
  if (moment) return moment;
  const text = (cell?.textContent ?? "").trim().replace(THIN_SPACES, "").replace("\u2212", "-");
  const number = /^-?\d+(\.\d+)?/.exec(text);
  return number ? Number(number[0]) : text;
}

function compare(left: number | string, right: number | string): number {
  if (typeof left === "number" && typeof right === "number") return left - right;
  // Numbers before words: what is missing ("–") ends last.
  if (typeof left !== typeof right) return typeof left === "number" ? -1 : 1;
  return String(left).localeCompare(String(right), undefined, { numeric: true });
}

function sortBy(table: HTMLTableElement, head: HTMLTableCellElement): void {
  const descending = head.getAttribute("aria-sort") === "ascending";
  for (const other of table.tHead?.rows[0]?.cells ?? []) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", descending ? "descending" : "ascending");
  const body = table.tBodies[0];
  if (!body) return;
  const keyed = [...body.rows].map((row) => ({ row, key: sortKey(row.cells[head.cellIndex]) }));
  keyed.sort((left, right) => compare(left.key, right.key) * (descending ? -1 : 1));
  body.append(...keyed.map((one) => one.row));
}

/** A number without its thin spaces; text that a spreadsheet would run as a formula is disarmed. */
function csvCell(cell: HTMLTableCellElement): string {
  const text = cell.innerText.trim().replace(/\s*\n\s*/g, " ");
  const plain = text.replace(THIN_SPACES, "").replace("\u2212", "-");
  if (/^-?\d+(\.\d+)?$/.test(plain)) return plain;
  const safe = /^[=+\-@\t]/.test(text) ? `'${text}` : text.replace(THIN_SPACES, " ");
  return /[",\n]/.test(safe) ? `"${safe.replace(/"/g, '""')}"` : safe;
}

function csvOf(table: HTMLTableElement): string {
  return [...table.rows].map((row) => [...row.cells].map(csvCell).join(",")).join("\r\n") + "\r\n";
}

function addSorting(table: HTMLTableElement): void {
  for (const head of table.tHead?.rows[0]?.cells ?? []) {
    if (head.querySelector(".visually-hidden, button") || !head.textContent?.trim()) continue;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "sort";
    button.append(...head.childNodes);
    button.addEventListener("click", () => sortBy(table, head));
    head.append(button);
  }
}

function addCopying(table: HTMLTableElement, region: Element): void {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "quiet copy";
  button.textContent = "Copy as CSV";
  button.addEventListener("click", () => {
    const said = (text: string): void => {
      button.textContent = text;
      setTimeout(() => { button.textContent = "Copy as CSV"; }, 2000);
    };
    navigator.clipboard.writeText(csvOf(table)).then(() => said("Copied"), () => said("The browser did not allow it"));
  });
  region.after(button);
}

export function watchTables(root: HTMLElement): void {
  for (const table of root.querySelectorAll<HTMLTableElement>("table")) {
    const region = table.closest(".scroll");
    if (!region || (table.tBodies[0]?.rows.length ?? 0) < 2) continue;
    const partial = region.nextElementSibling?.querySelector("a[rel=next], a[rel=prev]");
    if (!partial && !table.tFoot) addSorting(table);
    // The clipboard needs https or this machine.
    if (isSecureContext) addCopying(table, region);
  }
}
