import { read, write } from "./storage.js";
import { t, tn } from "./texts.js";

const KEPT_PROMPT = "tiltyard.prompt";
// They turn the direction of what follows, unseen.
const DIRECTION_MARKS = /[\u202a-\u202e\u2066-\u2069]/gu;
// The count is shown once it may matter.
const COUNTED_FROM = 0.8;

/** A prompt is kept until its answers are finished, so that a failed battle loses nothing. */
export function forgetPrompt() {
  write("sessionStorage", KEPT_PROMPT, null);
}

/** A field for a prompt: counts characters as the server does, and sends on Enter. */
export class Field {
  #text;
  #count;
  #send;
  #most;
  #marks;

  /**
   * @param {HTMLFormElement} form
   * @param {object} options
   * @param {number} options.most characters allowed
   * @param {(text: string) => void} options.onSend
   */
  constructor(form, { most, onSend }) {
    this.#text = form.querySelector("textarea");
    this.#count = form.querySelector('[id$="-count"]');
    this.#marks = form.querySelector("#question-marks");
    this.#send = form.querySelector(".primary");
    this.#most = most;
    this.#text.addEventListener("input", () => this.update());
    this.#text.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      if (!this.#send.disabled) form.requestSubmit(this.#send);
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      onSend(this.#text.value);
    });
    this.update();
  }

  get value() {
    return this.#text.value;
  }

  set value(text) {
    this.#text.value = text;
    this.update();
  }

  focus() {
    this.#text.focus();
  }

  update() {
    const length = [...this.#text.value].length;
    const over = length - this.#most;
    this.#count.textContent = this.#counted(length, over);
    this.#count.classList.toggle("too-long", over > 0);
    this.#send.disabled = over > 0 || this.#text.value.trim() === "";
    this.#offerWithoutMarks();
  }

  #counted(length, over) {
    if (length < COUNTED_FROM * this.#most) return "";
    const said = t("{length} of {most} characters", { length, most: this.#most });
    return over > 0 ? `${said}: ${tn("{count} too many", "{count} too many", over)}` : said;
  }

  /** Pasted text may hold marks that nobody sees and that turn words around. */
  #offerWithoutMarks() {
    if (!this.#marks) return;
    const count = this.#text.value.match(DIRECTION_MARKS)?.length ?? 0;
    this.#marks.hidden = count === 0;
    if (count === 0) return;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "link";
    button.textContent = t("Remove them");
    button.addEventListener("click", () => {
      this.value = this.#text.value.replace(DIRECTION_MARKS, "");
      this.focus();
    });
    this.#marks.replaceChildren(
      tn(
        "It holds {count} invisible mark that turns the direction of text.",
        "It holds {count} invisible marks that turn the direction of text.",
        count,
      ),
      " ",
      button,
    );
  }
}

/** Say in `place` what is wrong with `fields`; an empty text says that nothing is. */
export function complain(place, text, fields) {
  place.hidden = text === "";
  place.textContent = text;
  for (const field of fields) field.setAttribute("aria-invalid", String(text !== ""));
}

/** Whether these fields choose two contestants; otherwise the page says so beside them. */
function areTwo(choices, place) {
  const open = choices.find((choice) => choice.value === "");
  const alike = choices[0].value === choices[1].value ? choices[1] : null;
  if (open) complain(place, t("Choose two contestants."), [open]);
  else if (alike) complain(place, t("Choose two that differ."), [alike]);
  (open ?? alike)?.focus();
  return !(open ?? alike);
}

/** The contestants chosen in these fields: slugs for the arena, names for the page. */
function namedBy(choices) {
  return {
    named: choices.map((choice) => choice.value),
    names: choices.map((choice) => choice.selectedOptions[0].dataset.name),
  };
}

export class Composer {
  #section;
  #field = null;
  #pictures = null;
  #asker = null;
  /** Whether what was sent is a prompt of the visitor's own. */
  isOwn = false;

  /** `start` receives what to ask, by the names of the socket's protocol. */
  constructor(section, start) {
    this.#section = section;
    const { collection } = section.dataset;
    const begin = (asked) => {
      this.#wait(true);
      start(asked);
    };
    const form = section.querySelector("#ask");
    if (form) this.#wireForm(form, begin);
    section.addEventListener("click", (event) => {
      const recorded = event.target.closest("[data-recorded]");
      const suggestion = event.target.closest("[data-suggestion]");
      if (recorded) this.isOwn = false;
      if (recorded) begin(collection ? { collection } : { recorded: recorded.dataset.recorded });
      if (suggestion) {
        this.#field.value = suggestion.textContent;
        this.#field.focus();
      }
    });
  }

  #wireForm(form, begin) {
    const chosen = [...form.querySelectorAll("[name=named]")];
    const place = form.querySelector("#choices-trouble");
    for (const choice of chosen) choice.addEventListener("change", () => complain(place, "", chosen));
    this.#field = new Field(form, {
      most: Number(form.dataset.max),
      onSend: (prompt) => {
        if (chosen.length > 0 && !areTwo(chosen, place)) return;
        write("sessionStorage", KEPT_PROMPT, prompt);
        this.isOwn = true;
        begin({
          prompt,
          images: this.#pictures?.ids ?? [],
          ...(chosen.length > 0 && namedBy(chosen)),
        });
      },
    });
    this.#field.value ||= read("sessionStorage", KEPT_PROMPT) ?? "";
    if (form.dataset.uploadUrl) this.#takePictures(form);
  }

  async #takePictures(form) {
    const { Pictures } = await import("./pictures.js");
    this.#pictures = new Pictures(form);
  }

  /** Begin without choosing. */
  surprise() {
    history.replaceState(null, "", location.pathname + location.search);
    this.#section.querySelector('[data-recorded=""]')?.click();
  }

  hide() {
    this.#section.hidden = true;
  }

  /** The server refused, or could not be reached: everything typed is still there. */
  release() {
    this.#wait(false);
  }

  #wait(waiting) {
    // What is inert loses the focus; whoever asked finds it again where it was.
    if (waiting) this.#asker = document.activeElement;
    this.#section.inert = waiting;
    if (!waiting) this.#asker?.focus();
    this.#section.setAttribute("aria-busy", String(waiting));
  }
}

/** Asking both on below answers that are finished. */
export class FollowUp {
  #form;
  #opener;
  #box;
  #field;
  #pictures = null;

  /** `send` receives the next prompt and ids of its pictures. */
  constructor(form, send) {
    this.#form = form;
    this.#opener = form.querySelector("#follow-up-open");
    this.#box = form.querySelector("#follow-up-field");
    this.#field = new Field(form, {
      most: Number(form.dataset.max),
      onSend: (prompt) => {
        form.inert = true;
        send(prompt, this.#pictures?.ids ?? []);
      },
    });
    this.#opener.addEventListener("click", () => this.open());
  }

  /** Whether one may be asked now, and with pictures. */
  allow(allowed, withPictures = false) {
    this.#form.hidden = !allowed;
    this.#form.querySelector("[data-with-pictures]").hidden = !withPictures;
    if (allowed && withPictures) this.#takePictures();
  }

  async #takePictures() {
    const { Pictures } = await import("./pictures.js");
    this.#pictures ??= new Pictures(this.#form);
  }

  open() {
    if (this.#form.hidden) return;
    this.#box.hidden = false;
    this.#opener.hidden = true;
    this.#opener.setAttribute("aria-expanded", "true");
    this.#field.focus();
  }

  /** It was not taken: what was typed is still there. */
  release() {
    this.#form.inert = false;
  }

  /** It was sent and has begun. */
  close() {
    this.#form.inert = false;
    this.#pictures?.clear();
    this.#field.value = "";
    this.#box.hidden = true;
    this.#opener.hidden = false;
    this.#opener.setAttribute("aria-expanded", "false");
    this.allow(false);
  }
}
