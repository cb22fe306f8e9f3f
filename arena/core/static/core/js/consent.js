// Before the first prompt the visitor agrees with what is kept of it, once.

/**
 * Ask for it where the page brings the question.
 *
 * @returns {Promise<boolean | null>} whether they agreed; null where nothing was asked
 */
export function askConsent() {
  const dialog = document.getElementById("consent");
  if (!dialog) return Promise.resolve(null);
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "agree"), { once: true });
  });
}

/** The arena has their word: nothing is asked again on this page. */
export function consentGiven() {
  document.getElementById("consent")?.remove();
}
