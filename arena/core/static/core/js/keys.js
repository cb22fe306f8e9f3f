import { read, write } from "./storage.js";
import { t } from "./texts.js";

const SETTING = "tiltyard.keys";
const TAKES_KEYS = "input, textarea, select, button, a, summary, dialog, [contenteditable]";

/**
 * Single keys act outside text fields and buttons, unless the reader switched them off.
 * `actions` maps a key to what it does.
 */
export function wireKeys(button, actions) {
  let on = read("localStorage", SETTING) !== "off";

  function show() {
    button.textContent = on ? t("Keys on") : t("Keys off");
    button.setAttribute("aria-pressed", String(on));
    document.documentElement.classList.toggle("without-keys", !on);
  }

  button.addEventListener("click", () => {
    on = !on;
    write("localStorage", SETTING, on ? null : "off");
    show();
  });
  document.addEventListener("keydown", (event) => {
    const held = event.ctrlKey || event.metaKey || event.altKey || event.repeat;
    if (!on || held || event.target.closest?.(TAKES_KEYS)) return;
    const action = actions[event.key.toLowerCase()];
    if (!action) return;
    // The key must not also be typed into a field that it opens.
    event.preventDefault();
    action();
  });
  show();
}
