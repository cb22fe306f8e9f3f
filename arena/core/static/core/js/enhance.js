// What a rendered text gains in the browser: formulas, colours of code, buttons that copy it, and
// a way to scroll by keyboard. The page is complete without.

import { copyButton } from "./copy.js";
import { isKept, keep } from "./graft.js";
import { t } from "./texts.js";

// -- Boxes that scroll sideways: reachable by keyboard, and no stop where nothing scrolls ------

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
function letScroll(box) {
  observer.observe(box);
}

// -- Formulas and code, whose scripts come with the first of them -----------------------------

async function setFormulas(elements) {
  if (elements.length === 0) return;
  const { typeset } = await import("./math.js");
  typeset(elements);
}

async function colour(code, language) {
  if (!language) return;
  const { highlight } = await import("./highlight.js");
  highlight(code, language);
}

// -- All of it --------------------------------------------------------------------------------

function isBeingWritten(element) {
  return element.querySelector(".caret") !== null;
}

function fresh(root, selector) {
  const found = [...root.querySelectorAll(selector)].filter(
    (element) => !isKept(element) && !isBeingWritten(element),
  );
  found.forEach(keep);
  return found;
}

function enhanceCode(block) {
  const code = block.querySelector("code");
  block.append(copyButton(() => code.textContent));
  letScroll(code.parentElement);
  colour(code, block.dataset.language);
}

/**
 * Enhance what is in `root`, as Markdown was rendered here or on the server. It may be called
 * again whenever there is more; what holds the caret waits until the caret has left it.
 */
export function enhance(root) {
  setFormulas(fresh(root, ".math"));
  fresh(root, ".code").forEach(enhanceCode);
  fresh(root, ".scroll").forEach(letScroll);
}
