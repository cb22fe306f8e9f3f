// Charts whose marks say what they are. The server has drawn each as a picture; once one is in
// view the same chart is drawn upon it by Vega, whose libraries come with the first of them.

import { t } from "./texts.js";

const OPTIONS = {
  mode: "vega",
  renderer: "svg",
  actions: false,
  // The pages' policy allows neither code made from text nor styles made by scripts.
  ast: true,
  defaultStyle: false,
  tooltip: { disableDefaultStyle: true },
  // A chart has all its data in it.
  loader: { load: () => Promise.reject(new Error("A chart asked for a file.")) },
};

const SYSTEM_DARK = "(prefers-color-scheme: dark)";
const systemDark = window.matchMedia(SYSTEM_DARK);
const rooms = new Map();
let loading;

function theme() {
  return document.documentElement.dataset.theme || (systemDark.matches ? "dark" : "light");
}

async function load() {
  await import("../vendor/vega/vega.js");
  await import("../vendor/vega/embed.js");
  return globalThis.vegaEmbed;
}

async function fetched(address) {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${address}: ${response.status}`);
  return response.json();
}

function remove(room) {
  room.classList.remove("is-live");
  rooms.get(room)?.finalize();
  rooms.delete(room);
  room.querySelector(".figure-live")?.remove();
}

/** The picture follows the system by itself, and the theme that was chosen here only so. */
function followTheme(room) {
  const source = room.querySelector("source");
  const { theme: chosen } = document.documentElement.dataset;
  if (source) source.media = chosen ? (chosen === "dark" ? "all" : "not all") : SYSTEM_DARK;
}

async function enliven(room) {
  const wanted = theme();
  loading ??= load();
  const [embed, chart] = await Promise.all([
    loading,
    fetched(room.closest(".figure").dataset[wanted]),
  ]);
  const live = document.createElement("div");
  live.className = "figure-live";
  live.setAttribute("aria-hidden", "true");
  const made = await embed(live, chart, OPTIONS);
  const picture = room.querySelector("img");
  // Nothing to lay it on, or the theme was changed meanwhile: that asked for another one.
  if (!picture || theme() !== wanted) {
    made.finalize();
    return;
  }
  remove(room);
  // As large as the picture beneath, whatever the fonts of the two.
  live.style.width = `${picture.clientWidth}px`;
  room.append(live);
  room.classList.add("is-live");
  rooms.set(room, made);
}

const observer = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) {
    if (!isIntersecting) continue;
    observer.unobserve(target);
    // Without it the picture still says everything.
    enliven(target).catch((error) => console.warn(error.message));
  }
});

function redraw() {
  for (const room of document.querySelectorAll(".figure-room")) {
    remove(room);
    followTheme(room);
    observer.unobserve(room);
    observer.observe(room);
  }
}

function tellFailure(event) {
  const note = document.createElement("p");
  note.className = "figure-failed";
  note.textContent = t(
    "This chart could not be drawn just now. Load the page again in a moment; its numbers are below.",
  );
  event.currentTarget.closest("picture").replaceWith(note);
}

for (const picture of document.querySelectorAll(".figure-room img")) {
  picture.addEventListener("error", tellFailure, { once: true });
}
redraw();
systemDark.addEventListener("change", redraw);
new MutationObserver(redraw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
