// A box that scrolls sideways must be reachable by keyboard, and one that does not must not be a stop.

import { t } from "./texts.js";

function name(box) {
  return box.tagName === "PRE" ? t("Code") : t("Table");
}

function mark(box) {
  if (box.scrollWidth <= box.clientWidth) {
    for (const attribute of ["tabindex", "role", "aria-label"]) box.removeAttribute(attribute);
    return;
  }
  box.tabIndex = 0;
  box.setAttribute("role", "group");
  box.setAttribute("aria-label", name(box));
}

const observer = new ResizeObserver((entries) => {
  for (const { target } of entries) mark(target);
});

/** Keep `box` a stop for the keyboard while it is narrower than what it holds. */
export function letScroll(box) {
  observer.observe(box);
}
