// Buttons that copy. Copying needs a secure page; where it cannot work the buttons stay hidden.

import { t } from "./texts.js";

const SHOWN_FOR = 2000;

function announce(text) {
  const announcer = document.getElementById("announcer");
  if (announcer) announcer.textContent = text;
}

/** What the button says for a moment; the screen reader hears it where the page has a place for it. */
function say(button, text, announcement) {
  button.dataset.label ??= button.textContent;
  button.textContent = text;
  announce(announcement);
  setTimeout(() => {
    if (button.textContent !== text) return;
    button.textContent = button.dataset.label;
    // The same words again are announced only if they were gone.
    announce("");
  }, SHOWN_FOR);
}

async function copy(button, text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // The browser may ask, and be told no.
    say(button, t("Not copied"), t("Your browser did not let this page copy."));
    return;
  }
  say(button, t("Copied"), t("Copied."));
}

/** Let `button` copy what `source` returns when it is pressed, and show it where that works. */
export function wireCopy(button, source) {
  if (!navigator.clipboard) return;
  button.hidden = false;
  button.addEventListener("click", () => copy(button, source()));
}

export function copyButton(source) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.hidden = true;
  button.textContent = t("Copy");
  wireCopy(button, source);
  return button;
}
