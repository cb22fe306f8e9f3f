// Markdown as models write it, to nodes that are safe to show. Answers that are stored are rendered
// on the server by the same rules (arena/core/markdown.py); a test compares the two.

import DOMPurify from "../vendor/dompurify.js";
import MarkdownIt from "../vendor/markdown-it.js";
import { mathSyntax } from "./math-syntax.js";
import { t } from "./texts.js";

const LANGUAGE = /^[ \t]*([A-Za-z0-9_+#.-]{1,24})(?=[ \t:{,]|$)/;
// Beyond as many cells as its lines have characters, and so many, a table is shown as text.
const SPARE_CELLS = 256;
const LETTER = /\p{L}/u;
const RIGHT_TO_LEFT =
  /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;
const showsImages = document.querySelector('meta[name="answer-images"]') !== null;

// An underlined heading would turn a paragraph into one for the moment in which the list after
// it begins with a lone hyphen.
const markdown = new MarkdownIt({ html: false, linkify: false, maxNesting: 20 })
  .disable("lheading")
  .use(mathSyntax);
const { escapeHtml } = markdown.utils;
const { renderer } = markdown;

const [table] = markdown.block.ruler.getRules("");

/** The line before which the rows of a table end, by the same signs as in its own rule. */
function endOfRows(state, first, end) {
  const others = markdown.block.ruler.getRules("blockquote");
  for (let line = first; line < end; line += 1) {
    const indent = state.sCount[line] - state.blkIndent;
    if (state.isEmpty(line) || indent < 0 || indent >= 4) return line;
    if (others.some((begins) => begins(state, line, end, true))) return line;
  }
  return end;
}

/**
 * A table, or its lines as code where filling up its short rows would make far more of it: a line
 * that holds a lone pipe is a row as wide as the first.
 */
function boundedTable(state, start, end, silent) {
  if (!table(state, start, end, true)) return false;
  if (silent) return true;
  const dashes = state.src.slice(state.bMarks[start + 1], state.eMarks[start + 1]);
  const columns = dashes.match(/-+/g).length;
  const last = columns * (end - start) > SPARE_CELLS ? endOfRows(state, start + 2, end) : end;
  const cells = columns * (last - start - 1);
  if (cells <= SPARE_CELLS + state.eMarks[last - 1] - state.bMarks[start]) {
    return table(state, start, end, false);
  }
  const text = state.push("code_block", "code", 0);
  text.content = state.getLines(start, last, state.blkIndent, true);
  text.map = [start, last];
  state.line = last;
  return true;
}

markdown.block.ruler.at("table", boundedTable, { alt: ["paragraph", "reference"] });

/** Of words; neither code nor TeX says which way a text goes. */
function firstLetter(token) {
  for (const { type, content } of token.children ?? []) {
    const letter = type === "text" && LETTER.exec(content);
    if (letter) return letter[0];
  }
  return "";
}

// Blocks go the way of their first letter, and what stands inside them goes with them, so that a
// list's marks are on the side of its text. `dir="auto"` says the same, but makes a browser look
// for that letter again with every element it adds: half a second for 500 rows of figures.
markdown.core.ruler.push("directions", (state) => {
  let block = null;
  for (const token of state.tokens) {
    if (token.level === 0 && token.nesting === 1) {
      block = token;
      continue;
    }
    const letter = block && firstLetter(token);
    if (!letter) continue;
    if (RIGHT_TO_LEFT.test(letter)) block.attrSet("dir", "rtl");
    block = null;
  }
});

// The alignment of table cells comes as a style attribute, which the page's policy refuses.
markdown.core.ruler.push("alignments", (state) => {
  for (const token of state.tokens) {
    const style = token.attrGet("style");
    if (style === null) continue;
    token.attrs = token.attrs.filter(([name]) => name !== "style");
    token.attrSet("align", style.replace("text-align:", ""));
  }
});

function code(tokens, index) {
  const { info, content } = tokens[index];
  const language = escapeHtml(LANGUAGE.exec(info)?.[1] ?? "");
  const label = language && ` data-language="${language}"`;
  const kind = language && ` class="language-${language}"`;
  return `<div class="code"${label} dir="ltr"><pre><code${kind}>${escapeHtml(content)}</code></pre></div>\n`;
}

/** An image is named and not fetched, which would tell its host who reads what. */
function image(tokens, index, options, env) {
  const token = tokens[index];
  const alt = renderer.renderInlineAsText(token.children, options, env);
  const address = token.attrGet("src");
  if (!showsImages || !address.startsWith("https://")) {
    const said = alt.trim() ? t("Image not loaded: {alt}", { alt }) : t("Image not loaded");
    return `<span class="image">${escapeHtml(said)}</span>`;
  }
  const title = token.attrGet("title");
  return (
    `<img src="${escapeHtml(address)}" alt="${escapeHtml(alt)}"` +
    (title === null ? "" : ` title="${escapeHtml(title)}"`) +
    ' referrerpolicy="no-referrer" loading="lazy" decoding="async">'
  );
}

Object.assign(renderer.rules, {
  fence: code,
  code_block: code,
  image,
  table_open: (tokens, index, options) =>
    `<div class="scroll">${renderer.renderToken(tokens, index, options)}`,
  table_close: () => "</table></div>\n",
});

const SAFE = {
  // The body is where the text is cleaned; refusing it would have all of it copied first.
  ALLOWED_TAGS: [
    "a", "blockquote", "body", "br", "code", "del", "div", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr",
    "li", "ol", "p", "pre", "s", "span", "strong", "table", "tbody", "td", "th", "thead", "tr",
    "ul", ...(showsImages ? ["img"] : []),
  ],
  ALLOWED_ATTR: [
    "align", "alt", "class", "data-language", "decoding", "dir", "href", "loading",
    "referrerpolicy", "rel", "src", "start", "target", "title",
  ],
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
  ALLOWED_URI_REGEXP: /^(?:https?:|mailto:)/i,
  ADD_URI_SAFE_ATTR: ["align", "data-language", "decoding", "dir", "loading", "referrerpolicy", "start"],
  RETURN_DOM_FRAGMENT: true,
};

DOMPurify.addHook("afterSanitizeAttributes", (node) => {
  if (node.nodeName !== "A") return;
  node.setAttribute("rel", "noopener noreferrer nofollow");
  node.setAttribute("target", "_blank");
  if (node.getAttribute("href") === "") node.removeAttribute("href");
});

function toNodes(tokens, env) {
  const html = renderer.render(tokens, markdown.options, env);
  return DOMPurify.sanitize(html, SAFE);
}

function lastBlock(tokens) {
  return tokens.findLastIndex((token) => token.level === 0 && token.map && token.nesting >= 0);
}

/**
 * Render unfinished text in two parts: blocks that more text cannot change, and the last one,
 * which it can. `env` remembers link definitions from one call to the next.
 */
export function renderOpen(source, env) {
  env.unfinished = true;
  const tokens = markdown.parse(source, env);
  const last = Math.max(lastBlock(tokens), 0);
  const line = last > 0 ? tokens[last].map[0] : 0;
  return {
    settled: toNodes(tokens.slice(0, last), env),
    open: toNodes(tokens.slice(last), env),
    openSource: source.split("\n").slice(line).join("\n"),
  };
}

/** Render text that is all there. `env` may bring the link definitions of what came before it. */
export function renderWhole(source, env = {}) {
  env.unfinished = false;
  return toNodes(markdown.parse(source, env), env);
}
