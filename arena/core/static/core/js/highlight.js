// Colours code beside the page: no frame waits for it, and code that some grammar takes forever to
// read costs that one block its colours.

import DOMPurify from "../vendor/dompurify.js";
import { address } from "./highlight-worker.js";

const PATIENCE = 3000;
const LONGEST = 30_000;
const SPANS = { ALLOWED_TAGS: ["body", "span"], ALLOWED_ATTR: ["class"], RETURN_DOM_FRAGMENT: true };

let worker = null;
let last = Promise.resolve();

function dismiss() {
  worker?.terminate();
  worker = null;
}

/** The code as HTML; empty where it cannot be coloured. */
function ask(code, language) {
  worker ??= new Worker(address, { type: "module" });
  return new Promise((resolve) => {
    const give = (html) => {
      clearTimeout(late);
      resolve(html);
    };
    const giveUp = () => {
      dismiss();
      give("");
    };
    const late = setTimeout(giveUp, PATIENCE);
    worker.onmessage = ({ data }) => give(data);
    worker.onerror = giveUp;
    worker.postMessage({ code, language });
  });
}

function paint(element, code, html) {
  if (!html || element.textContent !== code) return;
  const nodes = DOMPurify.sanitize(html, SPANS);
  if (nodes.textContent === code) element.replaceChildren(nodes);
}

/** Colour the code in `element`, one element at a time, if its language is known. */
export function highlight(element, language) {
  const code = element.textContent;
  if (!language || code.length > LONGEST) return;
  last = last.then(async () => {
    if (element.isConnected) paint(element, code, await ask(code, language));
  });
}
