// Texts of scripts in the page's language; the page brings their translations as a JSON block.

const { lang } = document.documentElement;
const block = document.getElementById("texts");
const translations = block ? JSON.parse(block.textContent) : {};
const numbers = new Intl.NumberFormat(lang);
const plurals = new Intl.PluralRules(lang);

function shown(value) {
  return typeof value === "number" ? numbers.format(value) : value;
}

function filled(text, values) {
  return text.replace(/\{(\w+)\}/g, (whole, name) => shown(values[name]) ?? whole);
}

/** `text` in the page's language, its {names} replaced by `values`; numbers as the language has them. */
export function t(text, values = {}) {
  const [said] = [translations[text] ?? text].flat();
  return filled(said, values);
}

/** The form of a text for `count`, which its {count} is replaced by. */
export function tn(one, many, count, values = {}) {
  const forms = translations[one] ?? [one, many];
  const form = plurals.select(count) === "one" ? forms[0] : forms.at(-1);
  return filled(form, { count, ...values });
}
