// Choosing whom to ask, and the first prompt.

import { Asking, trouble } from "./asking.js";
import { randomUUID } from "./ballot.js";
import { Field, complain } from "./composer.js";
import { t, tn } from "./texts.js";

const NO_CHAT = "00000000-0000-0000-0000-000000000000";

const root = document.getElementById("chat-new");
const form = document.getElementById("ask");
const contestants = [...document.querySelectorAll("#contestants li")];

function wait(waiting) {
  form.inert = waiting;
  form.setAttribute("aria-busy", String(waiting));
}

function refused(message) {
  wait(false);
  trouble(message);
}

const asking = new Asking({
  path: "/ws/chat/",
  challengeUrl: root.dataset.challengeUrl,
  handlers: {
    "chat.started": ({ chat }) => location.assign(root.dataset.chatUrl.replace(NO_CHAT, chat)),
  },
  attach: () => null,
  onRefused: refused,
  onTrouble: trouble,
});

const whom = document.querySelector(".whom");
const choosing = document.getElementById("whom-trouble");

function isChosen() {
  if (form.elements.contestant.value) return true;
  complain(choosing, t("Choose whom you ask."), [whom]);
  whom.querySelector("li:not([hidden]) input")?.focus();
  return false;
}

async function start(prompt) {
  if (!isChosen()) return;
  wait(true);
  const contestant = form.elements.contestant.value;
  const chat = randomUUID();
  if (!(await asking.askWithConsent({ type: "chat.start", chat, contestant, prompt }))) wait(false);
}

// -- Searching -------------------------------------------------------------------------------

/** Show whom the text names; whoever is chosen stays, so that nobody is asked unseen. */
function search(text) {
  const words = text.toLocaleLowerCase().split(/\s+/u).filter(Boolean);
  let count = 0;
  for (const item of contestants) {
    const said = item.textContent.toLocaleLowerCase();
    const isFound = words.every((word) => said.includes(word));
    item.hidden = !isFound && !item.querySelector("input").checked;
    count += isFound;
  }
  const found = count > 0 ? tn("{count} found", "{count} found", count) : t("Nobody is called so.");
  document.getElementById("found").textContent = words.length > 0 ? found : "";
}

function wireSearch(field) {
  field.hidden = false;
  field.addEventListener("input", () => search(field.value));
  field.addEventListener("keydown", (event) => {
    // It must not send a prompt that is not written yet.
    if (event.key === "Enter") event.preventDefault();
  });
}

// -- Wiring ----------------------------------------------------------------------------------

whom.addEventListener("change", () => complain(choosing, "", [whom]));
const field = new Field(form, { most: Number(form.dataset.max), onSend: start });
const searchField = document.getElementById("search");
if (searchField) wireSearch(searchField);
const chosen = document.querySelector("#contestants :checked");
if (chosen) {
  chosen.scrollIntoView({ block: "nearest" });
  field.focus();
}
// Coming back with the browser's own button, the page is as it was left: waiting.
window.addEventListener("pageshow", () => wait(false));
