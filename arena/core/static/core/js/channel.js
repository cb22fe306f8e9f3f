const FIRST_WAIT = 500;
const LONGEST_WAIT = 8000;

function address(path) {
  const url = new URL(path, location.href);
  url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}

/** A socket that comes back: whoever holds it says what to send each time it opens. */
export class Channel {
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
