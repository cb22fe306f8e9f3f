// A socket that comes back, and asking over it: what is sent again is one prompt all the same.

import { t } from "./texts.js";

const FIRST_WAIT = 500;
const LONGEST_WAIT = 8000;
// How often it is sent again on a new connection.
const ASKED_AGAIN = 4;

function address(path) {
  const url = new URL(path, location.href);
  url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}

/** A socket that comes back: whoever holds it says what to send each time it opens. */
class Channel {
  #path;
  #greeting;
  #onMessage;
  #onLost;
  #socket = null;
  #failures = 0;
  #timer = 0;

  /**
   * @param {string} path
   * @param {object} handlers
   * @param {() => object} handlers.greeting the first message of every connection
   * @param {(message: object) => void} handlers.onMessage
   * @param {() => boolean} handlers.onLost whether to connect again
   */
  constructor(path, { greeting, onMessage, onLost }) {
    this.#path = path;
    this.#greeting = greeting;
    this.#onMessage = onMessage;
    this.#onLost = onLost;
    window.addEventListener("online", () => {
      if (this.#timer) this.open();
    });
  }

  open() {
    this.close();
    const socket = new WebSocket(address(this.#path));
    this.#socket = socket;
    socket.addEventListener("open", () => socket.send(JSON.stringify(this.#greeting())));
    socket.addEventListener("message", (event) => {
      if (socket !== this.#socket) return;
      this.#failures = 0;
      this.#onMessage(JSON.parse(event.data));
    });
    socket.addEventListener("close", () => {
      if (socket === this.#socket) this.#lost();
    });
  }

  /** Say something on the open connection; without one, whoever asked may ask again. */
  send(message) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  close() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
  }

  #lost() {
    this.#socket = null;
    if (!this.#onLost()) return;
    const wait = Math.min(FIRST_WAIT * 2 ** this.#failures, LONGEST_WAIT);
    this.#failures += 1;
    // Spread out, so that a restarted server is not met by every page at once.
    this.#timer = setTimeout(() => this.open(), wait * (0.75 + Math.random() / 2));
  }
}

export class Asking {
  #challengeUrl;
  #handlers;
  #attach;
  #lostText;
  #prepare;
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
   * @param {string} options.lost what the page says while the connection is gone
   * @param {() => Promise<void>} [options.prepare] what must be there before the first message
   * @param {(message: string, asked: object | null) => void} options.onRefused told why, and of what
   * @param {(text: string) => void} options.onTrouble what is wrong for now; empty once it is over
   */
  constructor({ path, challengeUrl, handlers, attach, lost, prepare, onRefused, onTrouble }) {
    this.#challengeUrl = challengeUrl;
    this.#handlers = handlers;
    this.#attach = attach;
    this.#lostText = lost;
    this.#prepare = prepare;
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
    const agreed = await consent();
    if (agreed === false) return false;
    await this.ask({ ...question, consent: agreed === true });
    return true;
  }

  /** Ask once the visitor has proved to be no flood. */
  async ask(question) {
    this.#onTrouble("");
    this.#again = 0;
    this.#asked = question;
    try {
      const [proof] = await Promise.all([this.#proof(), this.#prepare?.()]);
      this.#asked = { ...question, ...proof };
    } catch (error) {
      // Errors of the browser's own speak to nobody; a script could not be fetched.
      const isOurs = error.constructor === Error;
      this.#refuse(isOurs ? error.message : t("The arena could not be reached. Try again."));
      return;
    }
    this.#channel.open();
  }

  /** Follow what has begun. */
  async attach() {
    await this.#prepare?.();
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
    if (message.type?.endsWith(".refused")) {
      this.#refuse(message.message);
      return;
    }
    if (message.type?.endsWith(".started")) {
      this.#asked = null;
      consentKept();
    }
    this.#handlers[message.type ?? ""]?.(message);
  }

  #refuse(message) {
    const asked = this.#asked;
    this.#asked = null;
    this.#channel.close();
    this.#onRefused(message, asked);
  }

  /** @returns {boolean} whether to connect again */
  #lost() {
    if (!this.#asked) {
      this.#onTrouble(this.#lostText);
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

/** Whether the visitor agrees with what is kept; null where the page asks nobody. */
export async function consent() {
  if (!document.getElementById("consent")) return null;
  const { askConsent } = await import("./consent.js");
  return askConsent();
}

/** The arena has the visitor's word: nothing is asked again on this page. */
export function consentKept() {
  document.getElementById("consent")?.remove();
}

/** What is wrong, with what can be done about it. */
export function message(text, ...remedies) {
  const said = document.createElement("p");
  said.className = "message";
  const words = document.createElement("span");
  words.textContent = text;
  said.append(words, ...remedies);
  return said;
}

export function retryButton() {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button primary";
  button.dataset.retry = "";
  button.textContent = t("Retry");
  return button;
}

/** Say in the page's place for trouble what is wrong; an empty text says that it is over. */
export function trouble(text, ...remedies) {
  const place = document.getElementById("trouble");
  // Saying the same again would make a screen reader repeat it.
  if (place.textContent === text) return;
  place.replaceChildren(...(text ? [message(text, ...remedies)] : []));
}
