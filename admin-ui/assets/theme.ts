// Runs before the first paint: a chosen theme and a folded navigation must not flash in late.
// Everything works without storage (a private window, a strict browser): then the page decides, or the system.
try {
  const root = document.documentElement;
  const nav = localStorage.getItem("portolan-nav");
  if (nav) root.dataset.nav = nav;
  const theme = localStorage.getItem("portolan-theme");
  // What was chosen by the button is over once somebody has said anew what they prefer.
  const since = root.dataset.themeSince;
  const stands = since === undefined || localStorage.getItem("portolan-theme-since") === since;
  if (theme && stands) root.dataset.theme = theme;
} catch {
  // No storage: nothing to restore.
}
