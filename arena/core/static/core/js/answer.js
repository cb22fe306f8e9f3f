import { renderOpen, renderWhole } from "./markdown.js";

const HOLDS_TEXT = new Set(
  "P UL OL LI PRE CODE H1 H2 H3 H4 H5 H6 BLOCKQUOTE TABLE THEAD TBODY TR TD TH".split(" "),
);

/** The element in which the next character will appear. */
function endOfText(element) {
  let home = element;
  while (home.lastElementChild && HOLDS_TEXT.has(home.lastElementChild.tagName)) {
    home = home.lastElementChild;
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
  #openNodes = [];
  #env = {};
  #frame = 0;
  #caret = document.createElement("span");

  constructor(element) {
    this.#element = element;
    this.#caret.className = "caret";
  }

  clear() {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    this.#whole = "";
    this.#open = "";
    this.#openNodes = [];
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
    if (Object.keys(this.#env.references ?? {}).length > 0) {
      this.#element.replaceChildren(renderWhole(this.#whole));
    }
    this.#caret.remove();
  }

  #render() {
    this.#frame = 0;
    const { settled, open, openSource } = renderOpen(this.#open, this.#env);
    this.#caret.remove();
    for (const node of this.#openNodes) node.remove();
    this.#openNodes = [...open.childNodes];
    this.#open = openSource;
    this.#element.append(settled, open);
    endOfText(this.#element).append(this.#caret);
  }
}
