// The battle page: composing, watching both answers being written, voting, the reveal.

import { AnswerView } from "./answer.js";
import { Ballot } from "./ballot.js";
import { Channel } from "./channel.js";
import { Composer, forgetPrompt } from "./composer.js";
import { wireKeys } from "./keys.js";
import { wireTabs } from "./tabs.js";

const SOCKET = "/ws/battle/";
const NO_BATTLE = "00000000-0000-0000-0000-000000000000";
const LONG_WAIT = 30_000;
const RELOAD_WAIT = 1000;

const root = document.getElementById("battle");
const find = (id) => document.getElementById(id);
const answers = { a: new AnswerView(find("answer-a")), b: new AnswerView(find("answer-b")) };

// What the next connection asks for, until the battle it is about begins; then it attaches.
let asked = null;
let attempt = 0;
let lastFrame = 0;
let canRetry = root.dataset.canRetry === "true";
let waiting = 0;
let unread = true;

// -- What the page says ----------------------------------------------------------------------

function announce(text) {
  find("announcer").textContent = text;
}

/** Both sides always show the same word: it must not tell them apart. */
function stateWord(word) {
  if (document.querySelector("[data-state-word]").textContent === word) return;
  for (const place of document.querySelectorAll("[data-state-word]")) place.textContent = word;
}

function hint(text, note = "") {
  if (find("vote-hint").textContent === `${text} ${note}`) return;
  const extra = document.createElement("span");
  extra.textContent = note;
  find("vote-hint").replaceChildren(text, " ", extra);
}

function trouble(text, { ended = false, retry = false } = {}) {
  const place = find("trouble");
  // Saying the same again would make a screen reader repeat it.
  if (place.textContent === text) return;
  place.replaceChildren();
  if (!text) return;
  const message = document.createElement("p");
  message.className = "message";
  const words = document.createElement("span");
  words.textContent = text;
  message.append(words);
  if (retry) message.append(retryButton());
  if (ended) message.append(newBattleLink());
  place.append(message);
}

function retryButton() {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button primary";
  button.dataset.retry = "";
  button.textContent = "Retry";
  return button;
}

function newBattleLink() {
  const link = document.createElement("a");
  link.className = "button";
  link.href = newBattleUrl();
  link.textContent = "New battle";
  return link;
}

function newBattleUrl() {
  return document.querySelector("[data-new-battle]").href;
}

function urlOf(template, battle) {
  return template.replace(NO_BATTLE, battle);
}

function setState(state) {
  root.dataset.state = state;
  find("vote").hidden = state !== "generating" && state !== "complete";
  find("stop").hidden = state !== "generating";
  find("stop").disabled = false;
}

// -- From prompt to vote ---------------------------------------------------------------------

function showPrompt(text) {
  find("prompt").textContent = text;
  find("prompt-start").textContent = text.slice(0, 160);
  offerWholePrompt();
}

/** Narrow pages cut a long prompt after three lines; the button is there only if it did. */
function offerWholePrompt() {
  const prompt = find("prompt");
  find("whole-prompt").hidden = prompt.scrollHeight <= prompt.clientHeight + 1;
}

function expectMore() {
  hint("Voting opens when both answers are finished.");
  clearTimeout(waiting);
  waiting = setTimeout(
    () => hint("Still being written.", "Keep waiting, or start a new battle."),
    LONG_WAIT,
  );
}

function begin(battle) {
  setState("generating");
  root.dataset.battle = battle;
  stateWord("Waiting");
  announce("Both answers are being written.");
  expectMore();
}

/** An attempt begins, or is shown from its start: both columns are empty. */
function started({ battle, attempt: begun, prompt }) {
  asked = null;
  attempt = begun;
  lastFrame = 0;
  answers.a.clear();
  answers.b.clear();
  const isNew = !root.dataset.battle;
  begin(battle);
  if (isNew) openExchange(battle, prompt);
}

function openExchange(battle, prompt) {
  composer.hide();
  find("exchange").hidden = false;
  showPrompt(prompt);
  history.pushState(null, "", urlOf(root.dataset.battleUrl, battle));
  document.title = "Battle · Tiltyard";
  window.scrollTo(0, 0);
  find("main").focus({ preventScroll: true });
}

function frame({ seq, a, b }) {
  // Attaching again may repeat what is already shown.
  if (seq <= lastFrame) return;
  lastFrame = seq;
  stateWord("Writing");
  expectMore();
  answers.a.append(a);
  answers.b.append(b);
}

function stopWriting(state, word) {
  channel.close();
  clearTimeout(waiting);
  answers.a.finish();
  answers.b.finish();
  stateWord(word);
  setState(state);
}

/** What scrolls sideways must be reachable by keyboard. */
function letScroll() {
  for (const wide of root.querySelectorAll(".answer :is(pre, table)")) wide.tabIndex = 0;
}

function openVoting() {
  letScroll();
  stateWord("Finished");
  setState("complete");
  hint("Which answer serves you better?", "Names stay hidden until your vote is saved.");
  ballot.open(root.dataset.battle);
}

function complete() {
  stopWriting("complete", "Finished");
  forgetPrompt();
  openVoting();
  announce("Both answers are finished. Voting is open.");
}

function failed({ message, can_retry }) {
  canRetry = can_retry;
  stopWriting("failed", "Stopped");
  trouble(message, { ended: true, retry: canRetry });
}

function stopped({ message }) {
  stopWriting("stopped", "Stopped");
  forgetPrompt();
  letScroll();
  trouble(message, { ended: true });
}

function refused({ message }) {
  channel.close();
  clearTimeout(waiting);
  if (root.dataset.battle) {
    stopWriting("failed", "");
    trouble(message, { ended: true, retry: canRetry });
  } else {
    composer.release();
    trouble(message);
  }
}

/** The battle ended before this page asked; a moment's wait, in case it is just ending. */
function reload() {
  channel.close();
  setTimeout(() => location.reload(), RELOAD_WAIT);
}

/** @returns {boolean} whether to connect again */
function lost() {
  if (root.dataset.battle) {
    trouble("Connection lost. Your answers are still being written.");
    return true;
  }
  composer.release();
  trouble("The arena could not be reached, and no battle began. Try again.");
  return false;
}

function saved(fragment) {
  setState("voted");
  trouble("");
  find("fold").open = false;
  find("verdict").innerHTML = fragment;
  window.htmx?.process(find("verdict"));
  announce("Vote saved.");
  window.scrollTo(0, 0);
  find("verdict-headline").focus({ preventScroll: true });
}

// -- Wiring ----------------------------------------------------------------------------------

/** Have the battle begin, or tried again, once the visitor has proved to be no flood. */
async function ask(question) {
  trouble("");
  try {
    asked = { ...question, ...(await proof()) };
  } catch (error) {
    refused({ message: error.message });
    return;
  }
  channel.open();
}

async function proof() {
  const url = root.dataset.challengeUrl;
  if (!url) return {};
  const { solve } = await import("./challenge.js");
  return { challenge: await solve(url) };
}

function retry() {
  stateWord("Waiting");
  ask({ type: "battle.retry", battle: root.dataset.battle });
}

// A message that says no type is a frame.
const handlers = {
  "battle.started": started,
  "battle.complete": complete,
  "battle.failed": failed,
  "battle.stopped": stopped,
  "battle.refused": refused,
  "battle.reload": reload,
};

const channel = new Channel(SOCKET, {
  greeting: () =>
    asked ?? { type: "battle.attach", battle: root.dataset.battle, attempt, after: lastFrame },
  onMessage: (message) => {
    trouble("");
    (message.type ? handlers[message.type] : frame)?.(message);
  },
  onLost: lost,
});

const ballot = new Ballot(find("vote"), {
  urlOf: (battle) => urlOf(root.dataset.voteUrl, battle),
  onSaved: saved,
  onTrouble: trouble,
});

const composer =
  find("composer") &&
  new Composer(find("composer"), (question) => ask({ type: "battle.start", ...question }));

wireTabs(find("sides"), { a: find("tab-a"), b: find("tab-b") }, (side) => {
  if (side === "b") unread = false;
  find("vote").classList.toggle("all-read", !unread);
});

wireKeys(find("keys"), {
  a: () => ballot.cast("model_a"),
  t: () => ballot.cast("tie"),
  x: () => ballot.cast("both_bad"),
  b: () => ballot.cast("model_b"),
  n: () => root.dataset.battle && location.assign(newBattleUrl()),
});

find("stop").addEventListener("click", () => {
  find("stop").disabled = true;
  channel.send({ type: "battle.stop", battle: root.dataset.battle });
});

find("trouble").addEventListener("click", (event) => {
  if (event.target.closest("[data-retry]")) retry();
});

find("whole-prompt").addEventListener("click", () => {
  find("prompt").classList.add("whole");
  find("whole-prompt").hidden = true;
});

// The page was not loaded anew when its address became that of a battle.
window.addEventListener("popstate", () => location.reload());

document.addEventListener("htmx:responseError", (event) => {
  event.target.firstElementChild.textContent =
    "The board's view could not be loaded. Reload the page to see it.";
});

if (root.dataset.state === "generating") {
  begin(root.dataset.battle);
  channel.open();
} else if (root.dataset.state === "complete") {
  openVoting();
}
if (root.dataset.battle) offerWholePrompt();
if (root.dataset.state === "voted") letScroll();
