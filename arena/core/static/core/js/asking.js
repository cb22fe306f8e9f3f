// Sending one prompt over a socket that may break: it is sent again, and is one prompt all the same.

import { Channel } from "./channel.js";
import { askConsent, consentGiven } from "./consent.js";
import { t } from "./texts.js";

// How often it is sent again on a new connection.
const ASKED_AGAIN = 4;

export class Asking {
  #challengeUrl;
  #handlers;
  #attach;
  #onRefused;
  #onTrouble;
  #channel;
  // What the next connection asks for, until the turn it is about begins; then it attaches.
  #asked = null;
  #again = 0;

  /**
   * @param {object} options
   * @param {string} options.path of the socket
   * @param {string} options.challengeUrl where work for the browser is; empty where none is asked
   * @param {Record<string, (message: object) => void>} options.handlers by message type; "" takes
   *   frames
   * @param {() => object} options.attach what a connection says once the turn has begun
   * @param {(message: string) => void} options.onRefused
   * @param {(text: string) => void} options.onTrouble what is wrong for now; empty once it is over
   */
  constructor({ path, challengeUrl, handlers, attach, onRefused, onTrouble }) {
    this.#challengeUrl = challengeUrl;
    this.#handlers = handlers;
    this.#attach = attach;
    this.#onRefused = onRefused;
    this.#onTrouble = onTrouble;
    this.#channel = new Channel(path, {
      greeting: () => this.#asked ?? this.#attach(),
      onMessage: (message) => this.#take(message),
      onLost: () => this.#lost(),
    });
  }

  /** Ask once the visitor has agreed with what is kept. @returns whether they did */
  async askWithConsent(question) {
    const agreed = await askConsent();
    if (agreed === false) return false;
    await this.ask({ ...question, consent: agreed === true });
    return true;
  }

  /** Ask once the visitor has proved to be no flood. */
  async ask(question) {
    this.#onTrouble("");
    this.#again = 0;
    try {
      this.#asked = { ...question, ...(await this.#proof()) };
    } catch (error) {
      this.#refuse(error.message);
      return;
    }
    this.#channel.open();
  }

  /** Follow what has begun. */
  attach() {
    this.#channel.open();
  }

  tell(message) {
    this.#channel.send(message);
  }

  close() {
    this.#channel.close();
  }

  async #proof() {
    if (!this.#challengeUrl) return {};
    const { solve } = await import("./challenge.js");
    return { challenge: await solve(this.#challengeUrl) };
  }

  #take(message) {
    this.#onTrouble("");
    if (message.type === "chat.refused") {
      this.#refuse(message.message);
      return;
    }
    if (message.type === "chat.started") {
      this.#asked = null;
      consentGiven();
    }
    this.#handlers[message.type ?? ""]?.(message);
  }

  #refuse(message) {
    this.#asked = null;
    this.#channel.close();
    this.#onRefused(message);
  }

  /** @returns {boolean} whether to connect again */
  #lost() {
    if (!this.#asked) {
      this.#onTrouble(t("Connection lost. Your answer is still being written."));
      return true;
    }
    this.#again += 1;
    if (this.#again > ASKED_AGAIN) {
      this.#refuse(t("The arena could not be reached. Nothing is lost: send it again."));
      return false;
    }
    this.#onTrouble(t("The arena does not answer. Asking again."));
    return true;
  }
}

/** Say in the page's place for trouble what is wrong. */
export function trouble(text) {
  const place = document.getElementById("trouble");
  // Saying the same again would make a screen reader repeat it.
  if (place.textContent === text) return;
  place.replaceChildren();
  if (!text) return;
  const message = document.createElement("p");
  message.className = "message";
  message.textContent = text;
  place.append(message);
}
