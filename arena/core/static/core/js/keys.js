import { read, write } from "./storage.js";

const SETTING = "tiltyard.keys";
const TAKES_KEYS = "input, textarea, select, button, a, summary, [contenteditable]";

/**
 * Single keys act outside text fields and buttons, unless the reader switched them off.
 * `actions` maps a key to what it does.
 */
export function wireKeys(button, actions) {
  let on = read("localStorage", SETTING) !== "off";

  function show() {
    button.textContent = on ? "Keys on" : "Keys off";
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
    actions[event.key.toLowerCase()]?.();
  });
  show();
}
