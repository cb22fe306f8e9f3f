// What a rendered text gains in the browser: formulas, colours of code, buttons that copy it, and
// a way to scroll by keyboard. The page is complete without.

import { copyButton } from "./copy.js";
import { isKept, keep } from "./graft.js";
import { highlight } from "./highlight.js";
import { typeset } from "./math.js";
import { letScroll } from "./scrolling.js";

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
  highlight(code, block.dataset.language);
}

/**
 * Enhance what is in `root`, as Markdown was rendered here or on the server. It may be called
 * again whenever there is more; what holds the caret waits until the caret has left it.
 */
export function enhance(root) {
  typeset(fresh(root, ".math"));
  fresh(root, ".code").forEach(enhanceCode);
  fresh(root, ".scroll").forEach(letScroll);
}
