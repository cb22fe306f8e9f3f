// The battle page: composing, watching both answers being written, voting, asking on, the reveal.

import { Asking, retryButton, trouble } from "./asking.js";
import { Ballot, randomUUID } from "./ballot.js";
import { Composer, FollowUp, forgetPrompt } from "./composer.js";
import { wireKeys, wireTabs } from "./controls.js";
import { t } from "./texts.js";
import { Turns, prepareToWrite } from "./turns.js";

const SOCKET = "/ws/battle/";
const NO_BATTLE = "00000000-0000-0000-0000-000000000000";
const LONG_WAIT = 30_000;
const RELOAD_WAIT = 1000;
const SECOND_PRESS_WITHIN = 2000;
const START = "#start";

const root = document.getElementById("battle");
const find = (id) => document.getElementById(id);
const turns = new Turns(find("turns"), find("turn-template"));

let names = null;
let attempt = 0;
let lastFrame = 0;
let canRetry = root.dataset.canRetry === "true";
let waiting = 0;
let unread = true;

// -- What the page says ----------------------------------------------------------------------

function announce(text) {
  find("announcer").textContent = text;
}

function stateWord(word) {
  turns.last?.say(word);
}

function hint(text, note = "") {
  if (find("vote-hint").textContent === `${text} ${note}`) return;
  const extra = document.createElement("span");
  extra.textContent = note;
  find("vote-hint").replaceChildren(text, " ", extra);
}

function newBattleLink() {
  const link = document.createElement("a");
  link.className = "button";
  link.href = newBattleUrl();
  link.textContent = t("New battle");
  return link;
}

/** What can be done about a battle that has ended without a vote. */
function remedies(mayRetry) {
  return mayRetry ? [retryButton(), newBattleLink()] : [newBattleLink()];
}

function newBattleUrl() {
  return document.querySelector(".rhythm [data-new-battle]").href;
}

function urlOf(template, battle) {
  return template.replace(NO_BATTLE, battle);
}

function setState(state) {
  root.dataset.state = state;
  find("vote-bar").hidden = state !== "generating" && state !== "complete";
  find("stop").hidden = state !== "generating";
  find("stop").disabled = false;
}

// -- From prompt to vote ---------------------------------------------------------------------

function expectMore() {
  hint(t("Voting opens when both answers are finished."));
  clearTimeout(waiting);
  waiting = setTimeout(
    () => hint(t("Still being written."), t("Keep waiting, or start a new battle.")),
    LONG_WAIT,
  );
}

function begin(battle) {
  setState("generating");
  root.dataset.battle = battle;
  stateWord(t("Waiting"));
  announce(t("Both answers are being written."));
  expectMore();
}

/** An attempt at a turn begins, or is shown from its start: both its columns are empty. */
function started({ battle, attempt: begun, turn, prompt, images }) {
  const isNew = !root.dataset.battle;
  const isNext = !turns.last || turns.last.number < turn;
  attempt = begun;
  lastFrame = 0;
  if (isNew) openExchange(battle, prompt);
  const isOwn = !isNew || composer.isOwn;
  if (isNext) turns.add().ask({ turn, prompt, isOwn, images, names }, root.dataset.imageUrl);
  turns.last.write();
  ballot.close();
  followUp.close();
  begin(battle);
  if (isNext && !isNew) turns.last.scrollIntoView();
}

function openExchange(battle, prompt) {
  composer.hide();
  find("exchange").hidden = false;
  find("prompt-start").textContent = prompt.slice(0, 160);
  root.dataset.canContinue = String(root.dataset.mode === "named" || composer.isOwn);
  history.pushState(null, "", urlOf(root.dataset.battleUrl, battle));
  document.title = `${t("Battle")} · Tiltyard`;
  window.scrollTo(0, 0);
  find("main").focus({ preventScroll: true });
}

function frame({ seq, a, b }) {
  // Attaching again may repeat what is already shown.
  if (seq <= lastFrame) return;
  lastFrame = seq;
  stateWord(t("Writing"));
  expectMore();
  turns.last.append(a, b);
}

function stopWriting(state, word) {
  asking.close();
  clearTimeout(waiting);
  turns.last.finish();
  stateWord(word);
  setState(state);
}

function openVoting() {
  stateWord(t("Finished"));
  setState("complete");
  hint(t("Which answer serves you better?"), hiddenUntil());
  openBallot();
  followUp.allow(root.dataset.canContinue === "true", turns.all[0].hasPictures);
}

function openBallot() {
  ballot.open(root.dataset.battle, attempt);
}

function hiddenUntil() {
  return root.dataset.mode === "named" ? "" : t("Names stay hidden until your vote is saved.");
}

function complete() {
  stopWriting("complete", t("Finished"));
  forgetPrompt();
  openVoting();
  announce(t("Both answers are finished. Voting is open."));
}

function failed({ can_retry: may }) {
  canRetry = may;
  stopWriting("failed", "");
  turns.last.sayWhoIsMissing();
  // The alert says it; what was said before is no longer true.
  announce("");
  trouble(
    may
      ? t("One side stopped answering. Retry it, or start a new battle; nothing was counted.")
      : t("One side stopped answering. Start a new battle; nothing was counted."),
    ...remedies(may),
  );
}

function stopped() {
  stopWriting("stopped", t("Stopped"));
  forgetPrompt();
  trouble(
    t("You stopped this battle, so it cannot be voted on. Nothing was counted."),
    ...remedies(false),
  );
}

/** What was asked was not taken: everything is as it was before. */
function refused(message, asked) {
  clearTimeout(waiting);
  if (!root.dataset.battle) {
    composer.release();
    trouble(message);
  } else if (asked?.type === "battle.continue") {
    followUp.release();
    openBallot();
    trouble(message);
  } else {
    stopWriting("failed", "");
    trouble(message, ...remedies(canRetry));
  }
}

/** The battle ended before this page asked; a moment's wait, in case it is just ending. */
function reload() {
  asking.close();
  setTimeout(() => location.reload(), RELOAD_WAIT);
}

function saved(fragment) {
  setState("voted");
  trouble("");
  find("fold").open = false;
  find("verdict").innerHTML = fragment;
  window.htmx?.process(find("verdict"));
  reveal();
  announce(t("Vote saved."));
  window.scrollTo(0, 0);
  find("verdict-headline").focus({ preventScroll: true });
}

/** After the vote: a new battle begins as this one did. */
function reveal() {
  for (const link of find("verdict").querySelectorAll("[data-new-battle]")) {
    link.href = newBattleUrl();
  }
  import("./reveal.js");
}

/** Escape closes many things, and answers that are stopped are lost: one press only asks. */
function stopOnSecondPress() {
  const place = find("stop-asked");
  if (find("stop").hidden) return;
  if (place.textContent) {
    find("stop").click();
    return;
  }
  place.textContent = t("Press Esc again to stop.");
  setTimeout(() => place.replaceChildren(), SECOND_PRESS_WITHIN);
}

// -- Wiring ----------------------------------------------------------------------------------

/** Begin a battle, after the visitor has agreed with what is kept. */
async function start({ names: chosen = null, ...question }) {
  names = chosen;
  const battle = randomUUID();
  if (!(await asking.askWithConsent({ type: "battle.start", battle, ...question }))) {
    composer.release();
  }
}

function retry() {
  stateWord(t("Waiting"));
  asking.ask({ type: "battle.retry", battle: root.dataset.battle });
}

async function askOn(prompt, images) {
  ballot.close();
  const question = {
    type: "battle.continue",
    battle: root.dataset.battle,
    turn: turns.last.number + 1,
    prompt,
    images,
  };
  if (!(await asking.askWithConsent(question))) {
    followUp.release();
    openBallot();
  }
}

const asking = new Asking({
  path: SOCKET,
  challengeUrl: root.dataset.challengeUrl,
  // A message that says no type is a frame.
  handlers: {
    "": frame,
    "battle.started": started,
    "battle.complete": complete,
    "battle.failed": failed,
    "battle.stopped": stopped,
    "battle.reload": reload,
  },
  attach: () => ({
    type: "battle.attach",
    battle: root.dataset.battle,
    attempt,
    after: lastFrame,
  }),
  lost: t("Connection lost. Your answers are still being written."),
  prepare: prepareToWrite,
  onRefused: refused,
  onTrouble: trouble,
});

const ballot = new Ballot(find("vote"), {
  urlOf: (battle) => urlOf(root.dataset.voteUrl, battle),
  onSaved: saved,
  onTrouble: trouble,
});

const composer = find("composer") && new Composer(find("composer"), start);

const followUp = new FollowUp(find("follow-up"), askOn);

wireTabs(find("turns"), (side) => {
  if (side === "b") unread = false;
  find("vote-bar").classList.toggle("all-read", !unread);
});

wireKeys(find("keys"), {
  a: () => ballot.cast("model_a"),
  t: () => ballot.cast("tie"),
  x: () => ballot.cast("both_bad"),
  b: () => ballot.cast("model_b"),
  f: () => followUp.open(),
  n: () => root.dataset.battle && location.assign(newBattleUrl()),
  escape: stopOnSecondPress,
});

find("stop").addEventListener("click", () => {
  find("stop").disabled = true;
  asking.tell({ type: "battle.stop", battle: root.dataset.battle });
});

find("trouble").addEventListener("click", (event) => {
  if (event.target.closest("[data-retry]")) retry();
});

// The page was not loaded anew when its address became that of a battle.
window.addEventListener("popstate", () => location.reload());

document.addEventListener("htmx:responseError", (event) => {
  event.target.firstElementChild.textContent = t(
    "The board's view could not be loaded. Reload the page to see it.",
  );
});

/** Show what the page was loaded with. */
function open() {
  for (const turn of turns.all) {
    turn.offerWholePrompt();
    turn.improve();
  }
  switch (root.dataset.state) {
    case "generating":
      begin(root.dataset.battle);
      asking.attach();
      break;
    case "complete":
      attempt = Number(root.dataset.attempt);
      openVoting();
      break;
    case "voted":
      reveal();
      break;
    case "failed":
    case "interrupted":
      turns.last.sayWhoIsMissing();
      break;
    case "":
      if (location.hash === START) composer.surprise();
  }
}

open();
