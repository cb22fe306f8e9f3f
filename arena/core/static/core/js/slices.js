// Much work of small pieces, in slices short enough that scrolling and typing stay smooth.

const SLICE_MS = 8;
const waiting = [];
let isPlanned = false;

function run() {
  const end = performance.now() + SLICE_MS;
  do waiting.shift()();
  while (waiting.length > 0 && performance.now() < end);
  isPlanned = waiting.length > 0;
  if (isPlanned) setTimeout(run);
}

/** Run `jobs` in turn: at once as many as fit into a slice, the others soon. */
export function inSlices(jobs) {
  waiting.push(...jobs);
  if (!isPlanned && waiting.length > 0) run();
}
