// Changing a rendered text into its next version with as little as possible touched: what stays
// keeps its formulas, colours, selection and place.

// What was rendered of an element before it was made more of.
const originals = new WeakMap();

/** Whether `element` was remembered before. */
export function isKept(element) {
  return originals.has(element);
}

/** Remember `element` as it is rendered, before its contents are replaced by something better. */
export function keep(element) {
  originals.set(element, element.cloneNode(true));
}

function asRendered(node) {
  return originals.get(node) ?? node;
}

function hasSameShell(old, fresh) {
  return (
    old.nodeType === Node.ELEMENT_NODE &&
    fresh.nodeType === Node.ELEMENT_NODE &&
    !originals.has(old) &&
    old.cloneNode(false).isEqualNode(fresh.cloneNode(false))
  );
}

function isLonger(old, fresh) {
  return (
    old.nodeType === Node.TEXT_NODE &&
    fresh.nodeType === Node.TEXT_NODE &&
    fresh.data.startsWith(old.data)
  );
}

function graftNode(old, fresh) {
  if (asRendered(old).isEqualNode(fresh)) return;
  if (hasSameShell(old, fresh)) graft(old, [...fresh.childNodes]);
  else if (isLonger(old, fresh)) old.appendData(fresh.data.slice(old.length));
  else old.replaceWith(fresh);
}

/** Make the children of `parent` from `start` on like `nodes`. */
export function graft(parent, nodes, start = 0) {
  const old = [...parent.childNodes].slice(start);
  nodes.forEach((node, i) => (i < old.length ? graftNode(old[i], node) : parent.append(node)));
  for (const surplus of old.slice(nodes.length)) surplus.remove();
}
