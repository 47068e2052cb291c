// A form that was sent says so, and is sent once. Filters send themselves.
export function startForms(): void {
  document.addEventListener("submit", (event) => {
    const form = event.target as HTMLFormElement;
    if (form.dataset.sent !== undefined) {
      event.preventDefault();
      return;
    }
    if (form.method === "post") {
      form.dataset.sent = "";
      for (const button of form.querySelectorAll("button")) button.setAttribute("aria-busy", "true");
    } else {
      dropEmptyFields(form);
    }
  });
  // Coming back through the browser's history shows the page as it was left.
  addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll<HTMLFormElement>("form[data-sent]")) {
      delete form.dataset.sent;
      for (const button of form.querySelectorAll("button")) button.removeAttribute("aria-busy");
    }
    for (const field of document.querySelectorAll<HTMLInputElement>("[data-dropped]")) {
      field.disabled = false;
      delete field.dataset.dropped;
    }
  });
  document.addEventListener("change", (event) => {
    const field = event.target as HTMLElement;
    if (field instanceof HTMLSelectElement) field.closest<HTMLFormElement>("form.filters, form.scope-form")?.requestSubmit();
  });
  document.getElementById("form-errors")?.focus();
}

/** Keeps addresses short enough to share. */
function dropEmptyFields(form: HTMLFormElement): void {
  for (const field of form.elements) {
    if ((field instanceof HTMLInputElement || field instanceof HTMLSelectElement) && field.value === "") {
      field.disabled = true;
      field.dataset.dropped = "";
    }
  }
}
