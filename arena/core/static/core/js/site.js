import { wireCopy } from "./copy.js";
import { write } from "./storage.js";
import { t } from "./texts.js";

const systemDark = window.matchMedia("(prefers-color-scheme: dark)");

function currentTheme() {
  return document.documentElement.dataset.theme || (systemDark.matches ? "dark" : "light");
}

function showTheme(button) {
  const isDark = currentTheme() === "dark";
  button.querySelector("span").textContent = isDark ? t("Dark") : t("Light");
  button.setAttribute(
    "aria-label",
    isDark ? t("Theme: dark. Switch to light.") : t("Theme: light. Switch to dark."),
  );
}

/** Choosing what the system has anyway forgets the choice, so the page follows it again. */
function switchTheme() {
  const next = currentTheme() === "dark" ? "light" : "dark";
  const isSystems = (next === "dark") === systemDark.matches;
  if (isSystems) delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = next;
  write("localStorage", "tiltyard.theme", isSystems ? null : next);
}

const themeButton = document.getElementById("theme");
themeButton.hidden = false;
showTheme(themeButton);
themeButton.addEventListener("click", () => {
  switchTheme();
  showTheme(themeButton);
});
systemDark.addEventListener("change", () => showTheme(themeButton));

// On a phone the ways to other pages are pushed sideways; the page that this is must be seen among
// them.
for (const current of document.querySelectorAll("nav [aria-current]")) {
  const ways = current.parentElement;
  ways.scrollLeft = current.offsetLeft + current.offsetWidth / 2 - ways.clientWidth / 2;
}

// The menu of languages is a `details`, which opens and closes by itself; this only closes it when
// the person goes elsewhere.
const languages = document.querySelector(".languages");

function closeLanguages() {
  if (languages) languages.open = false;
}

languages?.addEventListener("focusout", (event) => {
  if (event.relatedTarget && !languages.contains(event.relatedTarget)) closeLanguages();
});
document.addEventListener("pointerdown", (event) => {
  if (!languages?.contains(event.target)) closeLanguages();
});
languages?.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !languages.open) return;
  // On a battle's page Escape stops the answers.
  event.stopPropagation();
  closeLanguages();
  languages.querySelector("summary").focus();
});

// What is copied: an address made whole, or the text of the element that is named.
for (const button of document.querySelectorAll("[data-copy], [data-copy-from]")) {
  const { copy, copyFrom } = button.dataset;
  wireCopy(button, () =>
    copyFrom ? document.getElementById(copyFrom).textContent : new URL(copy, location.href).href,
  );
}
