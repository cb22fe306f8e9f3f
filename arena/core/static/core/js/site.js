import { write } from "./storage.js";

const systemDark = window.matchMedia("(prefers-color-scheme: dark)");

function currentTheme() {
  return document.documentElement.dataset.theme || (systemDark.matches ? "dark" : "light");
}

function showTheme(button) {
  const theme = currentTheme();
  button.querySelector("span").textContent = theme === "dark" ? "Dark" : "Light";
  button.setAttribute("aria-label", `Theme: ${theme}. Switch to ${theme === "dark" ? "light" : "dark"}.`);
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

// Copying needs a secure page; where it cannot work the button stays hidden.
// What is copied: an address made whole, or the text of the element that is named.
for (const button of document.querySelectorAll("[data-copy], [data-copy-from]")) {
  if (!navigator.clipboard) break;
  button.hidden = false;
  button.addEventListener("click", async () => {
    const { copy, copyFrom } = button.dataset;
    const text = copyFrom
      ? document.getElementById(copyFrom).textContent
      : new URL(copy, location.href).href;
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  });
}
