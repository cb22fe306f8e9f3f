// Texts of scripts in the page's language; the page brings their translations as a JSON block.

const block = document.getElementById("texts");
const translations = block ? JSON.parse(block.textContent) : {};

function filled(text, values) {
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

/** `text` in the page's language, its {names} replaced by `values`. */
export function t(text, values = {}) {
  return filled(translations[text] ?? text, values);
}
