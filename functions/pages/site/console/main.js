// The console: signs in, and connects the list, the uploads and the panel of a file.

import { call, session } from "./api.js";
import { showDetails } from "./details.js";
import { complain, confirmed, tell } from "./dialogs.js";
import { byId, element } from "./dom.js";
import { dropped } from "./dropping.js";
import { files as counted, size } from "./format.js";
import { FileList } from "./list.js";
import { UploadPanel } from "./upload-panel.js";
import { Uploads } from "./uploads.js";

const DELETED_AT_ONCE = 4;
const uploads = new Uploads();
const list = new FileList();
let maxBytes = Infinity;
new UploadPanel(uploads);

// --- Signing in and out ---------------------------------------------------------------------------

async function enter() {
  const open = Boolean(session.key);
  byId("sign-in").hidden = open;
  byId("files").hidden = byId("account").hidden = !open;
  if (!open) return byId("key").focus();
  byId("shown-key").textContent = `${session.key.slice(0, 3)}…${session.key.slice(-4)}`;
  await Promise.all([list.reload(), uploads.restore(), showUsage()]);
}

function leave(problem = "") {
  session.close();
  uploads.leave();
  list.clear();
  byId("usage").hidden = true;
  byId("details").close();
  byId("notices").replaceChildren();
  byId("sign-in-problem").textContent = problem;
  enter();
}

byId("sign-in").querySelector("form").onsubmit = (event) => {
  event.preventDefault();
  session.open(byId("key").value.trim());
  byId("key").value = byId("sign-in-problem").textContent = "";
  enter().catch(complain);
};
byId("sign-out").onclick = () => leave();
document.addEventListener("unauthorized", ({ detail }) => session.key && leave(detail.message));
addEventListener("beforeunload", (event) => {
  if (uploads.all.some((each) => each.state === "sending")) event.preventDefault();
});

/** What the project stores, and a bar of the limit that it is closest to. */
async function showUsage() {
  const usage = await call("GET", "usage").catch(() => null);
  byId("usage").hidden = !usage;
  if (!usage) return;
  const { limits } = usage;
  const said = [
    limits.files === null ? counted(usage.files) : `${usage.files.toLocaleString("en")} of ${counted(limits.files)}`,
    limits.bytes === null ? size(usage.bytes) : `${size(usage.bytes)} of ${size(limits.bytes)}`,
  ];
  const shares = ["files", "bytes"]
    .filter((name) => limits[name] !== null)
    .map((name) => (limits[name] ? usage[name] / limits[name] : 1));
  const bar = element("meter", { value: Math.max(...shares), "aria-label": "Storage used" });
  byId("usage").replaceChildren(element("span", {}, said.join(" · ")), ...(shares.length ? [bar] : []));
}

// --- Uploading ------------------------------------------------------------------------------------

function send(found) {
  const seconds = Number(byId("expiry").value) || undefined;
  for (const sentence of uploads.add(found, { purpose: byId("purpose").value, seconds, maxBytes })) {
    complain(new Error(sentence));
  }
}

for (const [name, input] of [
  ["choose", byId("file-input")],
  ["choose-folder", byId("folder-input")],
]) {
  byId(name).onclick = () => input.click();
  input.onchange = () => {
    send([...input.files].map((file) => ({ file })));
    input.value = "";
  };
}

const carriesFiles = (event) => session.key && event.dataTransfer?.types.includes("Files");
const overlay = byId("overlay");
addEventListener("dragover", (event) => {
  if (!carriesFiles(event)) return;
  event.preventDefault();
  overlay.hidden = false;
});
addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) overlay.hidden = true;
});
addEventListener("drop", (event) => {
  if (!carriesFiles(event)) return;
  event.preventDefault();
  overlay.hidden = true;
  dropped(event.dataTransfer).then(send).catch(complain);
});
uploads.addEventListener("done", ({ detail: file }) => {
  list.add(file);
  if (!uploads.all.some((each) => each.state === "waiting" || each.state === "sending")) showUsage();
});

// --- Looking at files and deleting them -----------------------------------------------------------

list.addEventListener("open", ({ detail: file }) =>
  showDetails(file, () => remove([file.id], `“${file.filename}”`)),
);
list.addEventListener("select", () => {
  const count = list.selected.length;
  byId("selection").hidden = count === 0;
  byId("delete-selected").querySelector("span").textContent = `Delete ${counted(count)}`;
});
byId("delete-selected").onclick = () => remove(list.selected, counted(list.selected.length));

async function remove(ids, what) {
  const agreed = await confirmed(`Delete ${what}?`, "This cannot be undone.", "Delete");
  if (!agreed) return;
  const waiting = [...ids];
  const deleted = [];
  const work = async () => {
    for (let id; (id = waiting.pop());) {
      await call("DELETE", `files/${id}`).catch((problem) => {
        if (problem.status !== 404) throw problem; // else somebody has been faster
      });
      deleted.push(id);
    }
  };
  const results = await Promise.allSettled(Array.from({ length: DELETED_AT_ONCE }, work));
  const failed = results.find((each) => each.status === "rejected");
  list.remove(deleted);
  if (failed) complain(failed.reason);
  else tell(`${counted(deleted.length)} deleted.`);
  showUsage();
}

// --- The beginning --------------------------------------------------------------------------------

async function begin() {
  const settings = await (await fetch(new URL("console/settings.json", document.baseURI))).json();
  maxBytes = settings.max_file_bytes;
  for (const option of [...byId("expiry").options]) {
    const seconds = Number(option.value);
    if (seconds && (seconds < settings.min_lifetime || seconds > settings.max_lifetime)) option.remove();
  }
  for (const purpose of settings.purposes) {
    byId("purpose").append(element("option", {}, purpose));
    byId("filter").append(element("option", {}, purpose));
  }
  await enter();
}

begin().catch(complain);
