// Votes since the publication, as they come in, above the board.

import { tn } from "./texts.js";

const FIRST_WAIT = 1000;
const LONGEST_WAIT = 60_000;
const BAR = 4;
const HEIGHT = 14;
const SVG = "http://www.w3.org/2000/svg";

const strip = document.getElementById("live");
const find = (name) => strip.querySelector(`[data-live="${name}"]`);
let failures = 0;

function address() {
  const url = new URL("/ws/board/", location.href);
  url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}

function bars(hours) {
  const most = Math.max(...hours, 1);
  return hours.map((votes, hour) => {
    const bar = document.createElementNS(SVG, "rect");
    const height = votes ? Math.max(1.5, (votes / most) * HEIGHT) : 0.5;
    bar.setAttribute("x", hour * BAR);
    bar.setAttribute("y", HEIGHT - height);
    bar.setAttribute("width", BAR - 1);
    bar.setAttribute("height", height);
    return bar;
  });
}

function tell({ snapshot, votes, hours }) {
  const isNewer = snapshot !== strip.dataset.snapshot;
  strip.classList.toggle("is-newer", isNewer);
  find("newer").hidden = !isNewer;
  find("since").hidden = isNewer;
  if (!isNewer) {
    find("count").textContent = tn("{count} vote", "{count} votes", votes);
    find("hours").replaceChildren(...bars(hours));
    find("per-hour").hidden = votes === 0;
  }
  strip.classList.add("is-told");
}

function open() {
  const socket = new WebSocket(address());
  socket.addEventListener("message", (event) => {
    failures = 0;
    tell(JSON.parse(event.data));
  });
  socket.addEventListener("close", () => {
    const wait = Math.min(FIRST_WAIT * 2 ** failures, LONGEST_WAIT);
    failures += 1;
    // Spread out, so that a restarted server is not met by every page at once.
    setTimeout(open, wait * (0.75 + Math.random() / 2));
  });
}

if (strip) open();
