// On a phone one answer is shown at a time; wider pages show both and hide the tabs.

const SWIPE = 56;

/** Wire the tabs within `turns`, which may be there now or be added later. */
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
