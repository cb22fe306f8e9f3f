/** Where this file is. Its name holds a digest, and only what is imported is named by it. */
export const address = import.meta.url;

const isWorker = typeof document === "undefined";

async function coloured({ data: { code, language } }) {
  const { default: hljs } = await import("../vendor/highlight.js");
  const isKnown = hljs.getLanguage(language) !== undefined;
  self.postMessage(isKnown ? hljs.highlight(code, { language, ignoreIllegals: true }).value : "");
}

if (isWorker) self.addEventListener("message", coloured);
