// Behaviour that pages gain when scripts run. Without it every page reads and every form posts.
import { watchCharts } from "./chart";
import { startCodeInput } from "./code-input";
import { startForms } from "./forms";
import { startKeys } from "./keys";
import { startLive } from "./live";
import { startPasskeys } from "./passkeys";
import { watchTables } from "./tables";
import { startThemeToggle } from "./theme-toggle";

for (const element of document.querySelectorAll<HTMLElement>(".js-only")) element.hidden = false;
startThemeToggle();
startKeys();
startForms();
startCodeInput();
startPasskeys();
watchCharts(document.body);
watchTables(document.body);
if (document.body.dataset.signedIn !== undefined) startLive();
