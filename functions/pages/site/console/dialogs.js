// Notices, and the question before something is deleted.

import { button, byId, element } from "./dom.js";

const SHOWN_MILLISECONDS = 4000;

/** Tells that something is done; it disappears by itself. */
export function tell(sentence) {
  const notice = show(sentence, "notice");
  setTimeout(() => notice.remove(), SHOWN_MILLISECONDS);
}

/** Tells what went wrong; it stays until it is closed. A refused key is told where a key is asked for. */
export function complain(problem) {
  if (problem.name !== "AbortError" && problem.status !== 401) show(problem.message, "notice problem");
}

function show(sentence, kind) {
  const close = button("close", "Close", () => notice.remove(), { alone: true, class: "quiet" });
  const notice = element("div", { class: kind }, element("p", {}, sentence), close);
  const same = [...byId("notices").children].find((each) => each.textContent === notice.textContent);
  same?.remove();
  place();
  byId("notices").append(notice);
  return notice;
}

/** Notices stand in the open dialog, if there is one: the page behind it can be neither read nor used. */
function place() {
  const dialog = document.querySelector("dialog[open]");
  (dialog ?? document.body).append(byId("notices"));
  dialog?.addEventListener("close", place, { once: true });
}

/** Asks; resolves to whether the person agrees. */
export function confirmed(title, text, action) {
  const dialog = byId("confirm");
  byId("confirm-title").textContent = title;
  byId("confirm-text").textContent = text;
  dialog.querySelector("[value=confirm]").textContent = action;
  dialog.returnValue = "cancel";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "confirm"), { once: true });
  });
}

/** Copies a text, and says so. */
export async function copy(text, sentence) {
  await navigator.clipboard.writeText(text);
  tell(sentence);
}
