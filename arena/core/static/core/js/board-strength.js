// The slider of the strength of control: it moves the rows on the page by the published path, and
// asks the server for the board where it comes to rest.

import { glide, places } from "./board-motion.js";
import { t } from "./texts.js";

const REST = 350;
const MINUS = "\u2212";

let path = null;
let resting = 0;

async function fetchPath(address) {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${address}: ${response.status}`);
  return response.json();
}

/** Ratings by contestant at a strength, on straight lines between the published ones. */
export function ratingsAt({ contestants, strengths, ratings }, strength) {
  const upper = Math.max(
    1,
    strengths.findIndex((at) => at >= strength),
  );
  const [low, high] = [strengths[upper - 1], strengths[upper]];
  const share = Math.min(Math.max((strength - low) / (high - low), 0), 1);
  return new Map(
    contestants.map((name, k) => [
      name,
      ratings[upper - 1][k] + share * (ratings[upper][k] - ratings[upper - 1][k]),
    ]),
  );
}

/** 1 + how many are rated higher. */
export function ranksOf(ratings) {
  const sorted = [...ratings.values()].sort((a, b) => b - a);
  return new Map([...ratings].map(([name, rating]) => [name, 1 + sorted.indexOf(rating)]));
}

function signed(value) {
  const whole = Math.round(value);
  if (whole === 0) return "0";
  return whole > 0 ? `+${whole}` : `${MINUS}${-whole}`;
}

// -- Moving the rows of the page --------------------------------------------------------------

function axisOf(view) {
  const { low, high } = view.querySelector(".axis").dataset;
  return { low: Number(low), span: Number(high) - Number(low) };
}

function placeMark(svg, rating, raw, axis) {
  const x = `${((100 * (rating - axis.low)) / axis.span).toFixed(2)}%`;
  const ring = `${((100 * (raw - axis.low)) / axis.span).toFixed(2)}%`;
  // A raw board draws rings alone: on the way each becomes a dot that leaves its ring.
  if (!svg.querySelector(".dot")) return svg.querySelector(".ring").setAttribute("cx", x);
  svg.querySelector(".dot").setAttribute("cx", x);
  svg.querySelector(".ring")?.setAttribute("cx", ring);
  const tilt = svg.querySelector(".tilt");
  tilt?.setAttribute("x1", ring);
  tilt?.setAttribute("x2", x);
}

function write(row, { rating, rank, raw, rawRank, axis }) {
  row.querySelector("td.rank b").textContent = rank;
  row.querySelector("td.rating b").textContent = Math.round(rating);
  placeMark(row.querySelector(".interval"), rating, raw, axis);
  const movement = row.querySelector(".movement");
  if (!movement) return;
  const up = rawRank - rank;
  movement.classList.toggle("up", up > 0);
  movement.classList.toggle("down", up < 0);
  movement.classList.toggle("level", up === 0);
  movement.querySelector("b").textContent = Math.abs(up);
  const shapes = { 1: "M6 1.5 11 10H1Z", "-1": "M6 10.5 1 2h10Z", 0: "M2 6h8" };
  movement.querySelector("path").setAttribute("d", shapes[Math.sign(up)]);
  movement.querySelector(".arrow").classList.add("hollow");
  row.querySelector(".shift").firstChild.data = signed(rating - raw);
}

function move(board, strength) {
  const view = board.querySelector("#board-view");
  const body = view.querySelector("tbody");
  if (!body) return;
  const [ratings, raw] = [ratingsAt(path, strength), ratingsAt(path, 0)];
  const [ranks, rawRanks] = [ranksOf(ratings), ranksOf(raw)];
  const axis = axisOf(view);
  const before = places(board);
  view.classList.add("moving");
  const all = [...body.querySelectorAll("[data-contestant]")];
  // The board of other votes may place somebody whom the path does not.
  const rows = all.filter((row) => ratings.has(row.dataset.contestant));
  for (const row of rows) {
    const name = row.dataset.contestant;
    write(row, {
      rating: ratings.get(name),
      rank: ranks.get(name),
      raw: raw.get(name),
      rawRank: rawRanks.get(name),
      axis,
    });
  }
  for (const account of body.querySelectorAll(".account")) account.remove();
  if (view.querySelector("#sort-rank .ascending") && !view.querySelector(".below")) {
    rows.sort((a, b) => ranks.get(a.dataset.contestant) - ranks.get(b.dataset.contestant));
    body.append(...rows);
    endLines(board, rows);
  }
  glide(board, before);
}

/** Let each line of the slope chart end in its row again. */
function endLines(board, rows) {
  const height = 39;
  rows.forEach((row, place) => {
    const name = CSS.escape(row.dataset.contestant);
    const line = board.querySelector(`.slope[data-contestant="${name}"]`);
    if (!line) return;
    const [ring, dot] = line.querySelectorAll("circle");
    const [start, end] = [ring.getAttribute("cy"), (place + 0.5) * height];
    const [x1, x2] = [Number(ring.getAttribute("cx")), Number(dot.getAttribute("cx"))];
    dot.setAttribute("cy", end);
    const middle = (x1 + x2) / 2;
    const way = `M${x1} ${start}C${middle} ${start} ${middle} ${end} ${x2} ${end}`;
    line.querySelector("path").setAttribute("d", way);
  });
}

// -- The slider and the field that says its number --------------------------------------------

function look(slider, strength) {
  slider.classList.toggle("at-raw", strength === 0);
  slider.classList.toggle("on-the-way", strength > 0 && strength < 1);
  slider.setAttribute("aria-valuetext", t("strength {strength} of 1", { strength }));
}

/** Let the slider within `board` move its rows; `rest` is called where it comes to rest. */
export function wireStrength(board, rest) {
  const group = board.querySelector(".strength");
  const slider = document.getElementById("strength");
  if (!group || !slider || slider.dataset.wired) return;
  const field = document.getElementById("lambda");
  slider.dataset.wired = "true";
  // The field says it to the server; the slider only moves it.
  slider.value = field.value;
  look(slider, Number(field.value));

  async function follow(strength) {
    clearTimeout(resting);
    resting = setTimeout(rest, REST);
    look(slider, strength);
    path ??= fetchPath(group.dataset.path);
    try {
      path = await path;
    } catch {
      // The server shows it where the slider comes to rest.
      path = null;
      return;
    }
    // A board of other controls, or of none, moves from where it stands.
    if (Number(field.value) === strength) move(board, strength);
  }

  slider.addEventListener("input", () => {
    field.value = Number(slider.value).toFixed(2);
    follow(Number(slider.value));
  });
  field.addEventListener("input", () => {
    const strength = Number(field.value);
    if (field.value === "" || !field.checkValidity()) return;
    slider.value = strength;
    follow(strength);
  });
}
