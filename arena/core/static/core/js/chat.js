// A direct chat: writing on, watching the answer being written, stopping and retrying it.

import { AnswerView } from "./answer.js";
import { Asking, message, retryButton, trouble } from "./asking.js";
import { Field } from "./composer.js";
import { wireCopy } from "./copy.js";
import { enhance } from "./enhance.js";
import { t } from "./texts.js";

const GENERATING = "generating";

const root = document.getElementById("chat");
const find = (id) => document.getElementById(id);
const { chat } = root.dataset;
const form = find("say");

let turn = Number(root.dataset.turn);
let attempt = Number(root.dataset.attempt);
let seen = 0;
let section = find("turns").lastElementChild;
let view = null;
let sent = "";

// -- What the page says ----------------------------------------------------------------------

function announce(text) {
  find("announcer").textContent = text;
}

function stateWord(word) {
  const place = section.querySelector("[data-state-word]");
  if (place.textContent !== word) place.textContent = word;
}

function setState(state) {
  root.dataset.state = state;
  section.dataset.state = state;
  const isWriting = state === GENERATING;
  find("stop").hidden = !isWriting;
  find("stop").disabled = false;
  if (find("send")) find("send").hidden = isWriting;
}

function ended(text, canRetry = false) {
  const said = text ? [message(text, ...(canRetry ? [retryButton()] : []))] : [];
  section.querySelector("[data-ended]").replaceChildren(...said);
}

/** What is left of an earlier failure can no longer be retried. */
function forgetRetries() {
  for (const button of root.querySelectorAll("[data-retry]")) button.remove();
}

// -- The answer ------------------------------------------------------------------------------

function started(message) {
  if (message.turn > turn + 1) {
    // Another window has asked more than this page shows.
    location.reload();
    return;
  }
  if (message.turn > turn) append(message);
  if (sent && message.prompt === sent.trim()) clearField();
  sent = "";
  ({ turn, attempt } = message);
  seen = 0;
  section.querySelector("[data-name]").textContent = message.name;
  begin();
}

function append({ turn: number, prompt }) {
  forgetRetries();
  const made = find("turn-template").content.cloneNode(true);
  section = made.querySelector(".turn");
  section.dataset.turn = number;
  section.querySelector("[data-prompt]").textContent = prompt;
  find("turns").append(made);
  view = null;
  section.scrollIntoView({ block: "start" });
}

function clearField() {
  if (field && field.value === sent) field.value = "";
}

function begin() {
  view ??= new AnswerView(section.querySelector("[data-answer]"));
  view.clear();
  ended("");
  forgetRetries();
  setState(GENERATING);
  stateWord(t("Waiting"));
  announce(t("The answer is being written."));
}

function frame({ seq, text }) {
  // Attaching again may repeat what is already shown.
  if (seq <= seen) return;
  seen = seq;
  stateWord(t("Writing"));
  view.append(text);
}

function elsewhere() {
  stateWord(t("Waiting"));
  trouble(
    t("The answer is being written in another process of the arena. It appears when it is finished."),
  );
}

function finish(state, word, announcement) {
  asking.close();
  view.finish();
  const whole = view;
  offerCopy(section, () => whole.source);
  setState(state);
  stateWord(word);
  announce(announcement);
}

function complete() {
  finish("complete", "", t("The answer is finished."));
}

function stopped() {
  finish("stopped", t("Stopped"), t("Stopped. What was written is kept."));
}

function failed({ can_retry: canRetry }) {
  fail(
    "failed",
    canRetry,
    canRetry
      ? t("The answer did not come whole. Retry it, or write on without it.")
      : t("The answer did not come whole, and is left out of what follows."),
  );
}

function interrupted({ can_retry: canRetry }) {
  fail(
    "interrupted",
    canRetry,
    canRetry
      ? t("The server stopped while this was being written. Retry it, or write on without it.")
      : t("The server stopped while this was being written; it is left out of what follows."),
  );
}

function fail(state, canRetry, text) {
  finish(state, t("Stopped"), text);
  ended(text, canRetry);
}

/** Nothing was begun: what was written is still in its field. */
function refused(message) {
  sent = "";
  trouble(message);
  for (const button of root.querySelectorAll("[data-retry]")) button.disabled = false;
  if (root.dataset.state === GENERATING) {
    setState("failed");
    stateWord(t("Stopped"));
  }
}

const asking = new Asking({
  path: "/ws/chat/",
  challengeUrl: root.dataset.challengeUrl,
  handlers: {
    "": frame,
    "chat.started": started,
    "chat.elsewhere": elsewhere,
    "chat.complete": complete,
    "chat.stopped": stopped,
    "chat.failed": failed,
    "chat.interrupted": interrupted,
  },
  attach: () => ({ type: "chat.attach", chat, turn, attempt, after: seen }),
  lost: t("Connection lost. Your answer is still being written."),
  onRefused: refused,
  onTrouble: trouble,
});

// -- Asking ----------------------------------------------------------------------------------

async function say(prompt) {
  if (root.dataset.state === GENERATING || sent) return;
  sent = prompt;
  const question = { type: "chat.say", chat, turn: turn + 1, prompt };
  if (!(await asking.askWithConsent(question))) sent = "";
}

function retry(button) {
  button.disabled = true;
  asking.ask({ type: "chat.retry", chat });
}

// -- Wiring ----------------------------------------------------------------------------------

function offerCopy(place, source) {
  const button = place.querySelector("[data-copy]");
  if (!source().trim() || button.dataset.isWired) return;
  button.dataset.isWired = "true";
  wireCopy(button, source);
}

const field = form && new Field(form, { most: Number(form.dataset.max), onSend: say });

find("stop").addEventListener("click", () => {
  find("stop").disabled = true;
  asking.tell({ type: "chat.stop", chat });
});

find("turns").addEventListener("click", (event) => {
  const button = event.target.closest("[data-retry]");
  if (button) retry(button);
});

for (const place of find("turns").children) {
  enhance(place);
  const source = place.querySelector("[data-source]").content.textContent;
  offerCopy(place, () => source);
}
if (turn > 1) section.scrollIntoView({ block: "start" });
if (root.dataset.state === GENERATING) {
  begin();
  asking.attach();
}
