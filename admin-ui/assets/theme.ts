// Runs before the first paint: a chosen theme and a folded navigation must not flash in late.
// Everything works without storage (a private window, a strict browser): then the system decides.
try {
  for (const key of ["theme", "nav"]) {
    const value = localStorage.getItem(`portolan-${key}`);
    if (value) document.documentElement.dataset[key] = value;
  }
} catch {
  // No storage: nothing to restore.
}
