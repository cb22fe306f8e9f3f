// What the page does after the vote: the link that shares the battle, and why somebody voted so.
// Both are in the fragment that comes with the vote, so their place in the page listens for them.

import { wireCopy } from "./copy.js";
import { t } from "./texts.js";

const PATIENCE = 20_000;

const verdict = document.getElementById("verdict");
const find = (selector) => verdict.querySelector(selector);

async function messageOf(response) {
  if (!response.headers.get("content-type")?.includes("json")) return "";
  return (await response.json()).message;
}

/** @returns {Promise<string>} what the arena has against it; nothing once it is done. */
async function send(url, fields) {
  const refused = t("The arena did not take that. Reload the page and try again.");
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { "X-CSRFToken": document.querySelector('meta[name="csrf-token"]').content },
      body: new URLSearchParams(fields),
      signal: AbortSignal.timeout(PATIENCE),
    });
    return response.ok ? "" : (await messageOf(response)) || refused;
  } catch {
    return t("The arena could not be reached. Try again.");
  }
}

/** Saying the same again is heard only if it was gone in between. */
function say(place, text) {
  place.textContent = "";
  requestAnimationFrame(() => {
    place.textContent = text;
  });
}

// -- The link --------------------------------------------------------------------------------

function fillLink() {
  const link = find("#share-link");
  link.value = new URL(link.dataset.path, location.href).href;
  wireCopy(find('[data-share="copy"]'), () => link.value);
}

/** Show the link, which the battle has from the first time on. */
async function openShare() {
  const panel = find("[data-share-url]");
  if (find("[data-shared]").hidden) await share("start");
  panel.showPopover();
  if (find("[data-shared]").hidden) panel.focus();
  else find("#share-link").select();
}

async function share(change) {
  const trouble = await send(find("[data-share-url]").dataset.shareUrl, { change });
  if (!trouble) find("[data-shared]").hidden = change === "stop";
  const done = change === "stop" ? t("No longer shared. The link shows nothing now.") : t("Shared.");
  say(find("[data-share-said]"), trouble || done);
}

async function stopSharing() {
  await share("stop");
  if (find("[data-shared]").hidden) find("[data-share-url]").focus();
}

// -- Reasons ---------------------------------------------------------------------------------

// One after the other, so that what was chosen last is what is kept.
let saving = Promise.resolve();
let kept = chosen();

function tags() {
  return [...verdict.querySelectorAll("[data-reason]")];
}

function chosen() {
  return tags()
    .filter((tag) => tag.getAttribute("aria-pressed") === "true")
    .map((tag) => tag.dataset.reason);
}

function choose(reasons) {
  for (const tag of tags()) {
    tag.setAttribute("aria-pressed", String(reasons.includes(tag.dataset.reason)));
  }
}

async function saveReasons() {
  const reasons = chosen();
  const { reasonsUrl } = find("[data-reasons-url]").dataset;
  const trouble = await send(
    reasonsUrl,
    reasons.map((reason) => ["reason", reason]),
  );
  if (trouble) choose(kept);
  else kept = reasons;
  say(find("[data-reasons-said]"), trouble || t("Saved."));
}

function toggle(tag) {
  const isGiven = tag.getAttribute("aria-pressed") === "true";
  tag.setAttribute("aria-pressed", String(!isGiven));
  saving = saving.then(saveReasons);
}

// -- Wiring ----------------------------------------------------------------------------------

verdict.addEventListener("click", (event) => {
  const { share: change } = event.target.closest("[data-share]")?.dataset ?? {};
  if (change === "open") openShare();
  if (change === "stop") stopSharing();
  const tag = event.target.closest("[data-reason]");
  if (tag) toggle(tag);
});

// Until here nobody would have heard them.
for (const control of verdict.querySelectorAll("button:disabled")) control.disabled = false;

// A new battle begins as this one did, and is called so.
const begins = document.querySelector(".rhythm [data-new-battle]");
find("[data-new-battle]").replaceChildren(...begins.cloneNode(true).childNodes);

fillLink();
