import { read, write } from "./storage.js";

const KEPT_PROMPT = "tiltyard.prompt";

/** A prompt is kept until its answers are finished, so that a failed battle loses nothing. */
export function forgetPrompt() {
  write("sessionStorage", KEPT_PROMPT, null);
}

/** The free text field: counts characters as the server does, and sends on Enter. */
function wireQuestion(form, start) {
  const text = form.querySelector("textarea");
  const count = form.querySelector("#question-count");
  const send = form.querySelector("button");
  const most = Number(form.dataset.max);

  function update() {
    const length = [...text.value].length;
    const tooLong = length > most;
    count.textContent = `${length.toLocaleString("en")} / ${most.toLocaleString("en")}`;
    if (tooLong) count.textContent += `: ${(length - most).toLocaleString("en")} too many`;
    count.classList.toggle("too-long", tooLong);
    send.disabled = tooLong || text.value.trim() === "";
  }

  text.value ||= read("sessionStorage", KEPT_PROMPT) ?? "";
  update();
  text.addEventListener("input", update);
  text.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    if (!send.disabled) form.requestSubmit();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    write("sessionStorage", KEPT_PROMPT, text.value);
    start({ prompt: text.value });
  });
}

export class Composer {
  #section;

  /** `start` receives what to ask: {prompt}, {recorded} or nothing. */
  constructor(section, start) {
    this.#section = section;
    const begin = (asked) => {
      this.#wait(true);
      start(asked);
    };
    const form = section.querySelector("#ask");
    if (form) wireQuestion(form, begin);
    section.addEventListener("click", (event) => {
      const button = event.target.closest("[data-recorded]");
      if (button) begin(button.dataset.recorded ? { recorded: button.dataset.recorded } : {});
    });
  }

  hide() {
    this.#section.hidden = true;
  }

  /** The server refused, or could not be reached: everything typed is still there. */
  release() {
    this.#wait(false);
  }

  #wait(waiting) {
    this.#section.inert = waiting;
    this.#section.setAttribute("aria-busy", String(waiting));
  }
}
