import { deriveKey as byBrowser } from "../vendor/altcha/algorithms/web/pbkdf2.js";
import { handler } from "../vendor/altcha/workers/shared.js";
import { deriveKey as byHand } from "./challenge-pbkdf2.js";

/** Where this file is. Its name holds a digest, and only what is imported is named by it. */
export const address = import.meta.url;

const isWorker = typeof document === "undefined";
if (isWorker) handler({ deriveKey: crypto.subtle ? byBrowser : byHand });
