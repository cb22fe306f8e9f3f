// A row and its line in the slope chart light up together.

const standings = document.querySelector(".standings");
let lit = null;

function light(contestant) {
  if (contestant === lit) return;
  for (const part of standings.querySelectorAll("[data-contestant]")) {
    part.classList.toggle("lit", part.dataset.contestant === contestant);
  }
  lit = contestant;
}

standings?.addEventListener("pointerover", (event) => {
  light(event.target.closest("[data-contestant]")?.dataset.contestant ?? null);
});
standings?.addEventListener("pointerleave", () => light(null));
