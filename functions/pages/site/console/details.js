// The panel of one file: what it is, what is in it, what can be done with it.

import { call } from "./api.js";
import { badge } from "./badge.js";
import { complain, copy } from "./dialogs.js";
import { button, byId, element } from "./dom.js";
import { date, relative, size } from "./format.js";
import { preview } from "./preview.js";

/** Opens the panel; `ondelete` is called if the person wants the file deleted. */
export async function showDetails(file, ondelete) {
  const dialog = byId("details");
  const closed = new AbortController();
  const shown = element("div", { class: "preview" }, element("p", { class: "hint" }, "Loading the preview…"));
  const facts = element("dl");
  describe(facts, file);
  dialog.replaceChildren(head(file, dialog), shown, facts, actions(file, dialog, ondelete));
  dialog.onclose = () => closed.abort();
  dialog.onclick = (event) => event.target === dialog && dialog.close(); // beside the panel
  dialog.showModal();
  try {
    describe(facts, await call("GET", `files/${file.id}`, { signal: closed.signal }));
    shown.replaceChildren(await preview(file, closed.signal));
  } catch (problem) {
    if (!closed.signal.aborted) shown.replaceChildren(element("p", { class: "problem" }, problem.message));
  }
}

function head(file, dialog) {
  const close = button("close", "Close", () => dialog.close(), { alone: true, class: "quiet" });
  const title = element("h2", { id: "details-title" }, file.filename);
  return element("div", { class: "bar" }, badge(file.filename), title, close);
}

function describe(facts, file) {
  const copyId = () => copy(file.id, "ID copied.").catch(complain);
  const copyButton = button("copy", "Copy the ID", copyId, { alone: true, class: "quiet" });
  const [brief, exact] = [size(file.bytes), `${file.bytes.toLocaleString("en")} bytes`];
  const rows = {
    ID: element("span", {}, element("code", {}, file.id), copyButton),
    Size: file.bytes < 1000 ? brief : `${brief} (${exact})`,
    Purpose: file.purpose,
    Status: file.status_details ? `${file.status}: ${file.status_details}` : file.status,
    Created: `${date(file.created_at)} (${relative(file.created_at)})`,
    Expires: file.expires_at ? `${date(file.expires_at)} (${relative(file.expires_at)})` : "never",
  };
  facts.replaceChildren(
    ...Object.entries(rows).map(([name, value]) =>
      element("div", {}, element("dt", {}, name), element("dd", {}, value)),
    ),
  );
}

function actions(file, dialog, ondelete) {
  const link = async () => (await call("GET", `files/${file.id}/url`)).url;
  const download = async () => element("a", { href: await link(), download: file.filename }).click();
  const copyLink = async () => copy(await link(), "Link copied. It works for 15 minutes.");
  const remove = () => {
    dialog.close();
    ondelete(file);
  };
  return element(
    "div",
    { class: "actions" },
    button("download", "Download", () => download().catch(complain), { class: "primary" }),
    button("link", "Copy link", () => copyLink().catch(complain)),
    button("delete", "Delete", remove, { class: "danger" }),
  );
}
