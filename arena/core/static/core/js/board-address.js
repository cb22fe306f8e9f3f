// The address of what a form of the board asks for, as the server would write it: without what is
// the default, and always in the same order, so that what was asked for ahead is found again.

const ORDER = [
  ...["snapshot", "controls", "strength", "variant", "rows", "q", "organisation"],
  ...["licence", "stage", "votes", "sort", "open", "show"],
];
const NONE = "none";
const ALWAYS = "position";
const REVISIONS = "revisions";

function held(names, full) {
  if (names.length === 0) return [];
  const on = names.filter((name) => name !== ALWAYS).join(",") || NONE;
  return on === full ? [] : [on];
}

/** `form` with its fields as they stand; `data` may stand for what they would be. */
export function addressOf(form, data = new FormData(form)) {
  const query = new URLSearchParams();
  for (const name of ORDER) {
    const values = data.getAll(name).filter((value) => value !== "");
    const said = name === "controls" ? held(values, form.dataset.full) : values;
    for (const value of said) if (value !== REVISIONS) query.append(name, value);
  }
  const asked = query.toString().replaceAll("%2C", ",");
  return form.getAttribute("action") + (asked && `?${asked}`);
}

/** As if `toggle` were switched. */
export function addressWith(form, toggle) {
  const data = new FormData(form);
  data.delete("controls");
  data.append("controls", ALWAYS);
  for (const box of form.elements) {
    if (box.name !== "controls" || box.type !== "checkbox") continue;
    if (box.checked !== (box === toggle)) data.append("controls", box.value);
  }
  return addressOf(form, data);
}
