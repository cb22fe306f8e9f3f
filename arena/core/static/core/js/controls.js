// Ways to use the battle page besides its buttons: single keys, and tabs and swipes on a phone.

import { read, write } from "./storage.js";
import { t } from "./texts.js";

const SETTING = "tiltyard.keys";
const SWIPE = 56;
const TAKES_KEYS = "input, textarea, select, dialog, [popover], [contenteditable]";

/**
 * Single keys act outside fields and dialogs, unless the reader switched them off.
 * `actions` maps a key to what it does.
 */
export function wireKeys(button, actions) {
  let on = read("localStorage", SETTING) !== "off";

  function show() {
    button.textContent = on ? t("Keyboard shortcuts: on") : t("Keyboard shortcuts: off");
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

/**
 * On a phone one answer is shown at a time; wider pages show both and hide the tabs. Wire those within
 * `turns`, which may be there now or be added later.
 */
export function wireTabs(turns, onShown) {
  function show(side) {
    turns.dataset.shown = side;
    for (const tab of turns.querySelectorAll("[data-tab]")) {
      tab.setAttribute("aria-pressed", String(tab.dataset.tab === side));
    }
    turns.querySelector(`[data-tab="${side}"] .unread`)?.remove();
    onShown(side);
  }

  turns.addEventListener("click", (event) => {
    const tab = event.target.closest("[data-tab]");
    if (tab) show(tab.dataset.tab);
  });

  let from = null;
  turns.addEventListener(
    "touchstart",
    (event) => {
      // Wide code and tables scroll sideways themselves.
      const scrolls = event.target.closest("pre, .scroll");
      from = event.touches.length === 1 && !scrolls ? event.touches[0] : null;
    },
    { passive: true },
  );
  turns.addEventListener("touchend", (event) => {
    if (!from) return;
    const across = event.changedTouches[0].clientX - from.clientX;
    const down = event.changedTouches[0].clientY - from.clientY;
    from = null;
    if (Math.abs(across) < SWIPE || Math.abs(across) < 2 * Math.abs(down)) return;
    show(across < 0 ? "b" : "a");
  });
}
