// The slider of the mix: the drawing and its table follow while it moves, and end where it rests.

const EVERY = 80;
const form = document.getElementById("mix-form");
let waiting = 0;
let sent = 0;

function send() {
  sent = performance.now();
  window.htmx.trigger(form, "choose");
}

form?.addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(send, Math.max(0, sent + EVERY - performance.now()));
});
