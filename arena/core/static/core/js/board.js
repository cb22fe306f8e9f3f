// The board in the browser: choices are sent as they are made, rows travel to their new places, a
// row and its line light up together, and the slider moves the rows by itself.

import { addressOf, addressWith } from "./board-address.js";
import { glide, places } from "./board-motion.js";
import { wireStrength } from "./board-strength.js";
import { wireCopy } from "./copy.js";

const TYPING_PAUSE = 250;

const board = document.getElementById("board");
const choices = document.getElementById("choices");
const strengthForm = document.getElementById("strength-form");
let before = null;
let typing = 0;

// -- Choices are sent as they are made --------------------------------------------------------

function send(form = choices) {
  clearTimeout(typing);
  window.htmx.trigger(form, "choose");
}

board.addEventListener("change", ({ target }) => {
  if (target.form !== choices) return;
  // A category has an address of its own, and other filters.
  if (target.name === "category") choices.submit();
  else if (target.type !== "search") send();
});
board.addEventListener("input", ({ target }) => {
  if (target.form !== choices || !["search", "number"].includes(target.type)) return;
  clearTimeout(typing);
  typing = setTimeout(send, TYPING_PAUSE);
});

// Links to other views of the board are many, and HTMX looks at each that bears its attributes.
board.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-view]");
  if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  window.htmx.ajax("GET", link.href, { target: "#board-view", swap: "outerHTML" });
});

// -- What somebody is about to ask for is asked for ahead -------------------------------------

const asked = new Set();

function askedBy(target) {
  const toggle = target.closest(".toggle")?.querySelector("input");
  return toggle ? addressWith(choices, toggle) : null;
}

function askAhead({ target }) {
  const address = askedBy(target);
  if (!address || asked.has(address)) return;
  asked.add(address);
  fetch(address, { headers: { "HX-Request": "true" } }).catch(() => asked.delete(address));
}

document.addEventListener("htmx:configRequest", ({ detail }) => {
  if (detail.elt !== choices && detail.elt !== strengthForm) return;
  detail.path = addressOf(detail.elt);
  detail.parameters = {};
});
board.addEventListener("pointerover", askAhead);
board.addEventListener("focusin", askAhead);

// -- Rows travel ------------------------------------------------------------------------------

document.addEventListener("htmx:beforeSwap", () => {
  before = places(board);
});
document.addEventListener("htmx:afterSettle", ({ target }) => {
  if (!before || target.id !== "board-view") return;
  arrive();
});

function arrive() {
  wireParts();
  glide(board, before);
  before = null;
}

function wireParts() {
  for (const button of document.querySelectorAll("#finding [data-copy]")) {
    wireCopy(button, () => new URL(button.dataset.copy, location.href).href);
  }
  wireStrength(board, () => send(strengthForm));
}

wireStrength(board, () => send(strengthForm));

// -- A row and its line light up together -----------------------------------------------------

let lit = null;

function light(contestant) {
  if (contestant === lit) return;
  for (const part of board.querySelectorAll("[data-contestant]")) {
    part.classList.toggle("lit", part.dataset.contestant === contestant);
  }
  lit = contestant;
}

board.addEventListener("pointerover", (event) => {
  light(event.target.closest("[data-contestant]")?.dataset.contestant ?? null);
});
board.addEventListener("pointerleave", () => light(null));
