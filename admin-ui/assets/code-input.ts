// The field for a code takes what is pasted as it was copied ("123 456"), and may send its form by the sixth digit.
// Copying and printing what is shown once.
const DIGITS = 6;

export function startCodeInput(): void {
  document.addEventListener("input", (event) => {
    const field = event.target as HTMLInputElement;
    if (field.dataset?.code === undefined) return;
    const digits = field.value.replace(/\D/g, "").slice(0, DIGITS);
    if (digits !== field.value) {
      // The place in the text is kept where somebody corrects a digit in the middle.
      const place = Math.min(field.selectionStart ?? digits.length, digits.length);
      field.value = digits;
      field.setSelectionRange(place, place);
    }
    const atEnd = field.selectionStart === null || field.selectionStart >= digits.length;
    if (digits.length === DIGITS && atEnd && field.dataset.codeSends !== undefined) field.form?.requestSubmit();
  });
  for (const button of document.querySelectorAll<HTMLButtonElement>("[data-copy]")) {
    const text = document.getElementById(button.dataset.copy ?? "")?.textContent ?? "";
    // The clipboard needs https or this machine.
    button.hidden = !navigator.clipboard;
    button.addEventListener("click", () => {
      navigator.clipboard.writeText(text.trim()).then(
        () => (button.textContent = "Copied"),
        () => (button.textContent = "The browser did not allow it"),
      );
    });
  }
  for (const button of document.querySelectorAll<HTMLButtonElement>("[data-print]")) button.addEventListener("click", () => print());
}
