// Sets mathematics with KaTeX, which is loaded when the first formula appears.

import { inSlices } from "./slices.js";

const LONGEST = 4000;
const DEEPEST = 250;
// A short definition could write a page without end.
const DEFINES = /\\(?:[egx]?def|(?:re)?newcommand|providecommand|(?:future)?let|global|long)(?![A-Za-z])/;
const FONTS = ["1em KaTeX_Main", "italic 1em KaTeX_Math"];
const OPTIONS = {
  output: "htmlAndMathml",
  throwOnError: false,
  errorColor: "currentcolor",
  strict: "ignore",
  trust: false,
  maxExpand: 1000,
  maxSize: 20,
};

let loading;

function stylesheet(address) {
  const link = document.createElement("link");
  link.rel = "stylesheet";
  link.href = address;
  return new Promise((resolve, reject) => {
    link.addEventListener("load", resolve);
    link.addEventListener("error", () => reject(new Error(`${address} could not be loaded.`)));
    document.head.append(link);
  });
}

/** Fonts that come late would move what has been read. */
async function load() {
  const styled = stylesheet(new URL("../vendor/katex/katex.css", import.meta.url));
  await Promise.all([import("../vendor/katex/katex.js"), styled]);
  await Promise.all(FONTS.map((font) => document.fonts.load(font)));
}

/** Layout recurses where the parser of HTML would have stopped. */
function isTooDeep(root) {
  let level = [root];
  for (let depth = 0; depth < DEEPEST && level.length > 0; depth += 1) {
    level = level.flatMap((element) => [...element.children]);
  }
  return level.length > 0;
}

function set(element) {
  const tex = element.textContent;
  if (tex.length > LONGEST || DEFINES.test(tex)) return;
  const made = document.createElement("span");
  try {
    const displayMode = element.classList.contains("display");
    globalThis.katex.render(tex, made, { ...OPTIONS, displayMode });
  } catch (error) {
    // Braces in braces in braces; its source stays.
    if (error instanceof RangeError) return;
    throw error;
  }
  if (isTooDeep(made)) return;
  // What KaTeX says of a fault is for authors, and English.
  made.querySelector(".katex-error")?.removeAttribute("title");
  element.replaceChildren(...made.childNodes);
  element.classList.add("set");
}

function setAll(elements) {
  inSlices(elements.map((element) => () => element.isConnected && set(element)));
}

/** Set the TeX in each of `elements`. Where KaTeX cannot be had, the source stays to be read. */
export function typeset(elements) {
  if (elements.length === 0) return;
  if (globalThis.katex) {
    setAll(elements);
    return;
  }
  loading ??= load();
  loading.then(
    () => setAll(elements),
    (error) => console.warn(error.message),
  );
}
