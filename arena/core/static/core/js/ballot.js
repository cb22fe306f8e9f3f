import { read, write } from "./storage.js";
import { t } from "./texts.js";

const PATIENCE = 20_000;
const SAFE_TO_REPEAT = t("Your vote was not saved. Voting again is safe: it counts once.");

/** crypto.randomUUID needs HTTPS; an arena inside a company may not have it. */
export function randomUUID() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** One key per battle, so that a vote sent twice is the same vote. */
function keyOf(battle) {
  const name = `tiltyard.vote.${battle}`;
  const key = read("sessionStorage", name) ?? randomUUID();
  write("sessionStorage", name, key);
  return key;
}

async function reasonOf(response) {
  if (response.headers.get("content-type")?.includes("json")) {
    const { message } = await response.json();
    if (message) return message;
  }
  if (response.status >= 500) return SAFE_TO_REPEAT;
  return t("Your vote was not accepted. Reload the page and vote again.");
}

export class Ballot {
  #form;
  #urlOf;
  #onSaved;
  #onTrouble;
  #battle = null;
  #attempt = 0;
  #key = "";

  /**
   * @param {HTMLFormElement} form
   * @param {object} options
   * @param {(battle: string) => string} options.urlOf
   * @param {(fragment: string) => void} options.onSaved
   * @param {(message: string) => void} options.onTrouble
   */
  constructor(form, { urlOf, onSaved, onTrouble }) {
    this.#form = form;
    this.#urlOf = urlOf;
    this.#onSaved = onSaved;
    this.#onTrouble = onTrouble;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.cast(event.submitter.value);
    });
  }

  /** Take a vote on what that attempt of the battle wrote, which the page shows. */
  open(battle, attempt) {
    this.#battle = battle;
    this.#attempt = attempt;
    this.#key = keyOf(battle);
    this.#enable(true);
  }

  /** No vote is possible now. */
  close() {
    this.#battle = null;
    this.#enable(false);
  }

  async cast(outcome) {
    if (!this.#battle || this.#form.querySelector(`[value="${outcome}"]`).disabled) return;
    this.#enable(false);
    this.#onTrouble("");
    try {
      await this.#send(outcome);
    } catch {
      this.#onTrouble(`${t("The arena could not be reached.")} ${SAFE_TO_REPEAT}`);
      this.#enable(true);
    }
  }

  async #send(outcome) {
    const response = await fetch(this.#urlOf(this.#battle), {
      method: "POST",
      headers: { "X-CSRFToken": document.querySelector('meta[name="csrf-token"]').content },
      body: new URLSearchParams({ outcome, key: this.#key, attempt: this.#attempt }),
      signal: AbortSignal.timeout(PATIENCE),
    });
    if (response.ok) {
      this.#onSaved(await response.text());
      return;
    }
    this.#onTrouble(await reasonOf(response));
    this.#enable(response.status !== 409);
  }

  #enable(enabled) {
    for (const button of this.#form.querySelectorAll("[name=outcome]")) button.disabled = !enabled;
  }
}
