// On a phone one answer is shown at a time; wider pages show both and hide the tabs.

const SWIPE = 56;

export function wireTabs(sides, tabs, onShown) {
  function show(side) {
    sides.dataset.shown = side;
    for (const [name, tab] of Object.entries(tabs)) {
      tab.setAttribute("aria-pressed", String(name === side));
    }
    tabs[side].querySelector(".unread")?.remove();
    onShown(side);
  }

  for (const [name, tab] of Object.entries(tabs)) tab.addEventListener("click", () => show(name));

  let from = null;
  sides.addEventListener(
    "touchstart",
    (event) => {
      // Wide code and tables scroll sideways themselves.
      const scrolls = event.target.closest("pre, table");
      from = event.touches.length === 1 && !scrolls ? event.touches[0] : null;
    },
    { passive: true },
  );
  sides.addEventListener("touchend", (event) => {
    if (!from) return;
    const across = event.changedTouches[0].clientX - from.clientX;
    const down = event.changedTouches[0].clientY - from.clientY;
    from = null;
    if (Math.abs(across) < SWIPE || Math.abs(across) < 2 * Math.abs(down)) return;
    show(across < 0 ? "b" : "a");
  });
}
