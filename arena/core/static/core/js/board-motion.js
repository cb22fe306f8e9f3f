// Rows and their lines travel from where they were to where they are.

const TRAVEL = { duration: 240, easing: "ease-out" };
const still = window.matchMedia("(prefers-reduced-motion: reduce)");

const rows = (board) => board.querySelectorAll("tbody [data-contestant]");
const lines = (board) => board.querySelectorAll(".slope[data-contestant]");

/** Where each row stands, and how each line runs. */
export function places(board) {
  return {
    rows: new Map([...rows(board)].map((row) => [row.dataset.contestant, row.offsetTop])),
    lines: new Map([...lines(board)].map((line) => [line.dataset.contestant, drawn(line)])),
  };
}

function drawn(line) {
  const [ring, dot] = line.querySelectorAll("circle");
  return {
    path: line.querySelector("path").getAttribute("d"),
    ring: ring.getAttribute("cy"),
    dot: dot.getAttribute("cy"),
  };
}

/** Let everything arrive from `before`, as `places` told it: what nobody sees is there at once. */
export function glide(board, before) {
  if (still.matches) return;
  // All places are read before anything is set in motion, so that the page is laid out once.
  const { top, bottom } = inView(board);
  const seen = (place) => place > top && place < bottom;
  const ways = [...rows(board)]
    .map((row) => [row, before.rows.get(row.dataset.contestant), row.offsetTop])
    .filter(([, was, is]) => was !== undefined && was !== is && (seen(was) || seen(is)));
  for (const [row, was, is] of ways) {
    row.animate({ transform: [`translateY(${was - is}px)`, "none"] }, TRAVEL);
  }
  const moved = new Set(ways.map(([row]) => row.dataset.contestant));
  for (const line of lines(board)) {
    const from = moved.has(line.dataset.contestant) && before.lines.get(line.dataset.contestant);
    if (from) redraw(line, from, drawn(line));
  }
}

/** Which places of rows can be seen, with some room above and below. */
function inView(board) {
  const table = board.querySelector("tbody")?.closest("table");
  const start = table ? table.getBoundingClientRect().top : 0;
  const room = 80;
  return { top: -start - room, bottom: window.innerHeight - start + room };
}

function redraw(line, from, to) {
  if (from.path !== to.path) {
    const ways = [from.path, to.path].map((path) => `path("${path}")`);
    line.querySelector("path").animate({ d: ways }, TRAVEL);
  }
  const [ring, dot] = line.querySelectorAll("circle");
  for (const [circle, was, is] of [
    [ring, from.ring, to.ring],
    [dot, from.dot, to.dot],
  ]) {
    if (was !== is) circle.animate({ cy: [`${was}px`, `${is}px`] }, TRAVEL);
  }
}
