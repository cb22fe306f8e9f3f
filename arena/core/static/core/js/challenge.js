import { solveChallengeWorkers } from "../vendor/altcha/pow.js";
import { address } from "./challenge-worker.js";
import { t } from "./texts.js";

const MOST_WORKERS = 4;
const PATIENCE = 20_000;
const WORK_PATIENCE = 90_000;

/** The challenge at `url`. Throws an Error whose message is for the person. */
async function asked(url) {
  let response;
  try {
    response = await fetch(url, { cache: "no-store", signal: AbortSignal.timeout(PATIENCE) });
  } catch (error) {
    throw new Error(t("The arena could not be reached. Try again in a moment."), { cause: error });
  }
  const isJson = response.headers.get("content-type")?.includes("json");
  const content = isJson ? await response.json() : {};
  if (response.ok && content.parameters) return content;
  throw new Error(
    content.message ?? t("The arena gave your browser no work to do. Reload the page."),
  );
}

/** Tries numbers beside the page until one fits. */
async function worked(challenge) {
  try {
    return await solveChallengeWorkers({
      challenge,
      concurrency: Math.min(MOST_WORKERS, navigator.hardwareConcurrency || 1),
      createWorker: () => new Worker(address, { type: "module" }),
      timeout: WORK_PATIENCE,
    });
  } catch (error) {
    throw new Error(
      t(
        "Your browser could not do the work that this arena asks for before a battle. " +
          "A current one can; reload the page if this is one.",
      ),
      { cause: error },
    );
  }
}

/**
 * Do the work that the arena asks for before a battle, without holding up the page.
 *
 * @param {string} url where a challenge is
 * @returns {Promise<string>} the proof, for the server to check
 * @throws {Error} with a message for the person
 */
export async function solve(url) {
  const challenge = await asked(url);
  const solution = await worked(challenge);
  if (!solution) throw new Error(t("The work took your browser too long. Start again."));
  return btoa(JSON.stringify({ challenge, solution }));
}
