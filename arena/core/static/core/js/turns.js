// The turns of a battle: what was asked, and both answers to it.

import { t } from "./texts.js";

const NO_IMAGE = "00000000-0000-0000-0000-000000000000";

// What writes and what improves answers comes only with the first one: the page in which a battle
// begins is there sooner without.
let written = null;

/** Fetch what shows an answer while it is written. */
export async function prepareToWrite() {
  written = await import("./answer.js");
}

/** One turn, in the element that the page or its template has for it. */
export class Turn {
  #element;
  #answers = null;

  constructor(element) {
    this.#element = element;
    this.#find("[data-whole]").addEventListener("click", () => this.#showWhole());
  }

  #find(selector) {
    return this.#element.querySelector(selector);
  }

  get number() {
    return Number(this.#element.dataset.turn);
  }

  get hasPictures() {
    return this.#find("[data-pictures] img") !== null;
  }

  /** Make an empty turn one about this question. */
  ask({ turn, prompt, isOwn, images, names }, imageUrl) {
    this.#element.dataset.turn = turn;
    this.#find("[data-asker]").textContent = isOwn ? t("You asked") : t("The arena asked");
    names?.forEach((name, i) => this.#introduce(i, name));
    this.#find("[data-prompt]").textContent = prompt;
    this.#find("[data-pictures]").replaceChildren(
      ...images.map((image, i) => picture(imageUrl.replace(NO_IMAGE, image), i + 1)),
    );
    if (turn > 1) this.#name(turn);
    this.offerWholePrompt();
  }

  /** Say whom the visitor chose for this side. */
  #introduce(side, name) {
    const place = document.createElement("bdi");
    place.className = "named";
    place.textContent = name;
    this.#element.querySelectorAll(".side h2")[side].append(" ", place);
  }

  #name(turn) {
    this.#find(".tabs")?.remove();
    for (const side of this.#element.querySelectorAll(".side")) {
      const name = side.getAttribute("aria-label");
      side.setAttribute("aria-label", t("{name}, question {number}", { name, number: turn }));
    }
  }

  /** An attempt begins: both columns are empty. */
  write() {
    this.#answers ??= {
      a: new written.AnswerView(this.#find('[data-answer="a"]')),
      b: new written.AnswerView(this.#find('[data-answer="b"]')),
    };
    this.#answers.a.clear();
    this.#answers.b.clear();
  }

  append(a, b) {
    this.#answers.a.append(a);
    this.#answers.b.append(b);
  }

  /** Nothing more will come; what is there can be copied. */
  finish() {
    this.#answers?.a.finish();
    this.#answers?.b.finish();
    for (const answer of this.#element.querySelectorAll("[data-answer]")) {
      // The mark of a heading whose words never came is nothing to read.
      if (answer.textContent.trim() === "") answer.replaceChildren();
    }
    this.improve();
  }

  /** Both sides always show the same word: it must not tell them apart. */
  say(word) {
    for (const place of this.#element.querySelectorAll("[data-state-word]")) {
      if (place.textContent !== word) place.textContent = word;
    }
  }

  /** The turn has ended early: a column that stays empty says why. */
  sayWhoIsMissing() {
    for (const side of this.#element.querySelectorAll(".side")) {
      if (side.querySelector("[data-answer]").hasChildNodes()) continue;
      side.querySelector("[data-state-word]").textContent = t("No answer");
    }
  }

  /** Formulas, colours and buttons to copy, for answers that are whole. */
  async improve() {
    const [{ enhance }, { wireCopy }] = await Promise.all([
      import("./enhance.js"),
      import("./copy.js"),
    ]);
    for (const side of this.#element.querySelectorAll(".side")) {
      const answer = side.querySelector("[data-answer]");
      const button = side.querySelector("[data-copy-answer]");
      if (!button.hidden || !answer.hasChildNodes()) continue;
      enhance(answer);
      wireCopy(button, () => this.#source(answer.dataset.answer, side));
    }
  }

  #source(name, side) {
    return this.#answers?.[name].source ?? side.querySelector("[data-source]").content.textContent;
  }

  /** Narrow pages cut a long prompt after three lines; the button is there only if it did. */
  offerWholePrompt() {
    const prompt = this.#find("[data-prompt]");
    this.#find("[data-whole]").hidden = prompt.scrollHeight <= prompt.clientHeight + 1;
  }

  #showWhole() {
    this.#find("[data-prompt]").classList.add("whole");
    this.#find("[data-whole]").hidden = true;
  }

  scrollIntoView() {
    const isStill = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.#find(".asked").scrollIntoView({ behavior: isStill ? "auto" : "smooth", block: "start" });
  }
}

function picture(address, number) {
  const item = document.createElement("li");
  const link = document.createElement("a");
  link.href = address;
  link.target = "_blank";
  const image = document.createElement("img");
  image.src = address;
  image.alt = t("Picture {number} of this question", { number });
  link.append(image);
  item.append(link);
  return item;
}

/** All turns in `list`, in their order; new ones are made from `template`. */
export class Turns {
  #list;
  #template;
  #turns;

  constructor(list, template) {
    this.#list = list;
    this.#template = template;
    this.#turns = [...list.querySelectorAll(".turn")].map((element) => new Turn(element));
  }

  get last() {
    return this.#turns.at(-1);
  }

  get all() {
    return this.#turns;
  }

  add() {
    const element = this.#template.content.cloneNode(true).querySelector(".turn");
    this.#list.append(element);
    this.#turns.push(new Turn(element));
    return this.last;
  }
}
