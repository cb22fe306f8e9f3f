// Pictures beside a prompt: chosen, pasted or dropped, sent at once, and shown with a way back.

import { consent, consentKept } from "./asking.js";
import { t } from "./texts.js";

const TYPES = ["image/png", "image/jpeg", "image/webp"];
const PATIENCE = 60_000;

async function reasonOf(response) {
  if (response.headers.get("content-type")?.includes("json")) {
    const { message, detail } = await response.json();
    if (message || detail) return message ?? detail;
  }
  return t("The picture was not taken. Try again in a moment.");
}

async function upload(url, file, agreed) {
  const body = new FormData();
  body.append("image", file);
  if (agreed) body.append("consent", "yes");
  const response = await fetch(url, {
    method: "POST",
    headers: { "X-CSRFToken": document.querySelector('meta[name="csrf-token"]').content },
    body,
    signal: AbortSignal.timeout(PATIENCE),
  });
  // Whatever else is refused, the visitor's word was heard before the picture was looked at.
  if (agreed && response.status !== 403) consentKept();
  if (!response.ok) throw new Error(await reasonOf(response));
  return response.json();
}

export class Pictures {
  #form;
  #list;
  #most;
  #taken = [];

  constructor(form) {
    this.#form = form;
    this.#list = form.querySelector("[data-pictures-sent]");
    this.#most = Number(form.dataset.imagesMax);
    const input = form.querySelector("input[type=file]");
    input.addEventListener("change", () => {
      this.#add([...input.files]);
      input.value = "";
    });
    form.addEventListener("paste", (event) => this.#take(event, event.clipboardData));
    form.addEventListener("dragover", (event) => event.preventDefault());
    form.addEventListener("drop", (event) => this.#take(event, event.dataTransfer));
  }

  get ids() {
    return this.#taken.map(({ id }) => id);
  }

  /** They were sent. */
  clear() {
    this.#taken = [];
    this.#list.replaceChildren();
  }

  /** Text is pasted as ever; where there are pictures they are taken instead. */
  #take(event, data) {
    const files = [...data.files];
    if (files.length === 0) return;
    event.preventDefault();
    this.#add(files);
  }

  async #add(files) {
    for (const file of files) await this.#addOne(file);
  }

  async #addOne(file) {
    if (this.#taken.length >= this.#most) {
      this.#say(t("At most {most} pictures go with one prompt.", { most: this.#most }));
      return;
    }
    if (!TYPES.includes(file.type)) {
      this.#say(
        t("{name} is no PNG, JPEG or WebP picture, so it was not sent.", { name: file.name }),
      );
      return;
    }
    const agreed = await consent();
    if (agreed === false) return;
    const item = this.#placeFor(file);
    try {
      const taken = await upload(this.#form.dataset.uploadUrl, file, agreed === true);
      this.#taken.push(taken);
      this.#show(item, taken, file);
    } catch (error) {
      item.remove();
      const isOurs = error instanceof Error && error.constructor === Error;
      this.#say(isOurs ? error.message : t("The arena could not be reached. Add it again."));
    }
  }

  #placeFor(file) {
    const item = document.createElement("li");
    item.className = "uploading";
    item.textContent = t("Sending {name}", { name: file.name });
    this.#list.append(item);
    return item;
  }

  #show(item, taken, file) {
    const image = document.createElement("img");
    image.src = taken.url;
    image.alt = file.name;
    const remove = document.createElement("button");
    remove.type = "button";
    remove.className = "remove";
    remove.setAttribute("aria-label", t("Remove {name}", { name: file.name }));
    remove.textContent = "×";
    remove.addEventListener("click", () => {
      this.#taken = this.#taken.filter(({ id }) => id !== taken.id);
      item.remove();
    });
    item.className = "";
    item.replaceChildren(image, remove);
  }

  #say(text) {
    const note = document.createElement("li");
    note.className = "refused";
    note.setAttribute("role", "alert");
    note.textContent = text;
    this.#list.querySelectorAll(".refused").forEach((old) => old.remove());
    this.#list.append(note);
  }
}
