import { enhance } from "./enhance.js";
import { graft } from "./graft.js";
import { renderOpen, renderWhole } from "./markdown.js";

const HOLDS_TEXT = new Set(
  "P UL OL LI DIV PRE CODE H1 H2 H3 H4 H5 H6 BLOCKQUOTE TABLE THEAD TBODY TR TD TH".split(" "),
);

/** The element in which the next character will appear. */
function endOfText(element) {
  let home = element;
  for (
    let next = home.lastElementChild;
    next && HOLDS_TEXT.has(next.tagName) && !next.matches(".math");
    next = home.lastElementChild
  ) {
    home = next;
  }
  return home;
}

/**
 * One side's text while it is written. Each animation frame renders only the block that can
 * still change, so long answers stay cheap and nothing above the caret moves.
 */
export class AnswerView {
  #element;
  #whole = "";
  #open = "";
  /** How many of the element's nodes no more text can change. */
  #settled = 0;
  #env = {};
  #frame = 0;
  #caret = document.createElement("span");

  constructor(element) {
    this.#element = element;
    this.#caret.className = "caret";
  }

  /** The answer so far as it was written, in Markdown. */
  get source() {
    return this.#whole;
  }

  clear() {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    this.#whole = "";
    this.#open = "";
    this.#settled = 0;
    this.#env = {};
    this.#element.replaceChildren();
  }

  append(delta) {
    this.#whole += delta;
    this.#open += delta;
    this.#frame ||= requestAnimationFrame(() => this.#render());
  }

  /** Everything has arrived: a link may be defined below where it is used, so render it whole. */
  finish() {
    cancelAnimationFrame(this.#frame);
    this.#render();
    this.#caret.remove();
    const hasLinks = Object.keys(this.#env.references ?? {}).length > 0;
    if (hasLinks) graft(this.#element, [...renderWhole(this.#whole).childNodes]);
    else graft(this.#element, [...renderWhole(this.#open).childNodes], this.#settled);
    enhance(this.#element);
  }

  #render() {
    this.#frame = 0;
    const { settled, open, openSource } = renderOpen(this.#open, this.#env);
    this.#caret.remove();
    const count = settled.childNodes.length;
    graft(this.#element, [...settled.childNodes, ...open.childNodes], this.#settled);
    this.#settled += count;
    this.#open = openSource;
    endOfText(this.#element).append(this.#caret);
    enhance(this.#element);
  }
}
