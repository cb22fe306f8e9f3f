// Before the first prompt the visitor agrees with what is kept of it, once.

/** Ask with the page's dialog. @returns {Promise<boolean>} whether they agreed */
export function askConsent() {
  const dialog = document.getElementById("consent");
  // Said once it holds, also while the arena has not answered yet.
  if (dialog.returnValue === "agree") return Promise.resolve(true);
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "agree"), { once: true });
  });
}
