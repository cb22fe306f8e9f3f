// Mathematics in Markdown: $…$, $$…$$, \(…\) and \[…\], as TeX for KaTeX to set.
// The server knows the same rules (arena/core/mathematics.py); a test compares them.

// An opening dollar has no letter or digit before it and no space after it, a closing one no space
// before it and no digit after it, and neither has another dollar or a code span between: "$5 and
// $10" are prices. Each alternative begins with another character, so that no text takes longer
// than its length.
const INLINE = [
  { display: true, form: /\$\$(?!\$)((?:\\[\s\S]|\$(?!\$)|[^\\$])+)\$\$(?!\$)/y },
  {
    display: false,
    form: /(?<![0-9A-Za-z])\$(?![ \t\n$])((?:\\[\s\S]|[^\\$`])+)(?<![ \t\n])\$(?![0-9$])/y,
  },
  { display: false, form: /\\\(((?:\\[^()]|[^\\])+)\\\)/y },
  { display: true, form: /\\\[((?:\\[^\[\]]|[^\\])+)\\\](?!\()/y },
];
const DOLLARS = /\$+/y;

// What a line may hold until formulas of their own lines end, or others begin.
const BLOCK = {
  "$$": { closer: "$$", rest: /(?:\\[\s\S]|\$(?!\$)|[^\\$])*\$\$/y },
  "\\[": { closer: "\\]", rest: /(?:\\[^\[\]]|[^\\])*\\[\[\]]/y },
};

function matched(form, text, position) {
  form.lastIndex = position;
  return form.exec(text);
}

function inlineMath(state, silent) {
  const first = state.src[state.pos];
  if (first !== "$" && first !== "\\") return false;
  for (const { display, form } of INLINE) {
    const found = matched(form, state.src, state.pos);
    if (!found || form.lastIndex > state.posMax || !found[1].trim()) continue;
    if (!silent) {
      const token = state.push("math_inline", "span", 0);
      token.content = found[1].trim();
      token.meta = { display };
    }
    state.pos += found[0].length;
    return true;
  }
  if (first === "\\") return false;
  // All dollars in a row at once: a part of them opens nothing either.
  const [dollars] = matched(DOLLARS, state.src, state.pos);
  if (!silent) state.pending += dollars;
  state.pos += dollars.length;
  return true;
}

/**
 * The line on which a formula that begins on `start` ends: null where it is none, -1 where the text
 * ends first.
 */
function lastLineOfMath(state, start, end, opener) {
  const { closer, rest } = BLOCK[opener];
  for (let line = start; line < end; line += 1) {
    // Like TeX, and so that a paragraph that is done stays what it is while an answer is written.
    if (state.isEmpty(line) || state.sCount[line] < state.blkIndent) return null;
    const from = state.bMarks[line] + state.tShift[line] + (line === start ? opener.length : 0);
    const text = state.src.slice(from, state.eMarks[line]);
    const found = matched(rest, text, 0);
    if (!found) continue;
    const closes = found[0].endsWith(closer) && !text.slice(found[0].length).trim();
    return closes ? line : null;
  }
  return -1;
}

function blockMath(state, start, end, silent) {
  if (state.sCount[start] - state.blkIndent >= 4) return false;
  const from = state.bMarks[start] + state.tShift[start];
  const opener = state.src.slice(from, from + 2);
  if (!(opener in BLOCK)) return false;
  const last = lastLineOfMath(state, start, end, opener);
  const isOpen = last === -1;
  if (last === null || (isOpen && !state.env.unfinished)) return false;
  const next = isOpen ? end : last + 1;
  const source = state.getLines(start, next, state.blkIndent, false).trim();
  const content = isOpen ? source : source.slice(2, -2).trim();
  if (!content) return false;
  if (silent) return true;
  const token = state.push(isOpen ? "math_open" : "math_block", "div", 0);
  token.content = content;
  token.map = [start, next];
  state.line = next;
  return true;
}

/** A plug-in of markdown-it. Elements of class `math` hold TeX; those of class `display` stand alone. */
export function mathSyntax(markdown) {
  const { escapeHtml } = markdown.utils;
  const { rules } = markdown.renderer;
  markdown.inline.ruler.before("escape", "math_inline", inlineMath);
  markdown.block.ruler.after("fence", "math_block", blockMath, {
    alt: ["paragraph", "reference", "blockquote", "list"],
  });
  rules.math_inline = (tokens, index) => {
    const { content, meta } = tokens[index];
    return `<span class="math${meta.display ? " display" : ""}">${escapeHtml(content)}</span>`;
  };
  rules.math_block = (tokens, index) =>
    `<div class="math display">${escapeHtml(tokens[index].content)}</div>\n`;
  // Whether it is a formula shows when it ends; until then it stays as it was typed.
  rules.math_open = (tokens, index) => `<p>${escapeHtml(tokens[index].content)}</p>\n`;
}
