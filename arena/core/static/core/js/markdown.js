// Markdown as models write it, to nodes that are safe to show.

import DOMPurify from "../vendor/dompurify.js";
import MarkdownIt from "../vendor/markdown-it.js";

// An underlined heading would turn a paragraph into one for the moment in which the list after
// it begins with a lone hyphen.
const markdown = new MarkdownIt({ html: false, linkify: false }).disable("lheading");

// Fetching an image would tell its host who reads what.
markdown.renderer.rules.image = () => "";

// The alignment of table cells comes as a style attribute, which the page's policy refuses.
markdown.core.ruler.push("alignment", (state) => {
  for (const token of state.tokens) {
    const style = token.attrGet("style");
    if (style === null) continue;
    token.attrs = token.attrs.filter(([name]) => name !== "style");
    token.attrSet("align", style.replace("text-align:", ""));
  }
});

const SAFE = {
  ALLOWED_TAGS: [
    "a", "blockquote", "br", "code", "del", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "li",
    "ol", "p", "pre", "s", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul",
  ],
  ALLOWED_ATTR: ["align", "href", "rel", "start", "target"],
  ALLOWED_URI_REGEXP: /^(?:https?:|mailto:)/i,
  ADD_URI_SAFE_ATTR: ["align", "start"],
  RETURN_DOM_FRAGMENT: true,
};

DOMPurify.addHook("afterSanitizeAttributes", (node) => {
  if (node.nodeName !== "A") return;
  node.setAttribute("rel", "noopener nofollow");
  node.setAttribute("target", "_blank");
});

function toNodes(tokens, env) {
  const html = markdown.renderer.render(tokens, markdown.options, env);
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
  const tokens = markdown.parse(source, env);
  const last = Math.max(lastBlock(tokens), 0);
  const line = last > 0 ? tokens[last].map[0] : 0;
  return {
    settled: toNodes(tokens.slice(0, last), env),
    open: toNodes(tokens.slice(last), env),
    openSource: source.split("\n").slice(line).join("\n"),
  };
}

export function renderWhole(source) {
  const env = {};
  return toNodes(markdown.parse(source, env), env);
}
