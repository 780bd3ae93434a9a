// The uploads as a person sees them: progress of each and of all, and what can be done.

import { badge } from "./badge.js";
import { complain } from "./dialogs.js";
import { button, byId, element } from "./dom.js";
import { size } from "./format.js";
import { sent } from "./uploads.js";

const SHOWN = 50;
const RANK = { sending: 0, failed: 1, interrupted: 2, paused: 3, waiting: 4, done: 5 };

/** Shows the uploads in the page. */
export class UploadPanel {
  #rows = new WeakMap();
  #drawing = false;
  #speed = new Speed();

  constructor(uploads) {
    this.uploads = uploads;
    uploads.addEventListener("change", () => this.#soon());
    addEventListener("online", () => this.#soon());
    addEventListener("offline", () => this.#soon());
    byId("pause-all").onclick = () => this.#each(["sending", "waiting"], (each) => uploads.pause(each));
    byId("resume-all").onclick = () => this.#each(["paused", "failed"], (each) => uploads.resume(each));
    byId("clear-done").onclick = () => uploads.clearDone();
  }

  #each(states, action) {
    // Those that wait first: otherwise each would start when the one before it stops.
    const chosen = this.uploads.all.filter((each) => states.includes(each.state)).reverse();
    chosen.forEach(action);
  }

  #soon() {
    if (this.#drawing) return;
    this.#drawing = true;
    requestAnimationFrame(() => {
      this.#drawing = false;
      this.#draw();
    });
  }

  #draw() {
    const { all } = this.uploads;
    byId("uploads").hidden = all.length === 0;
    this.#drawOverall(all);
    const shown = all.toSorted((one, other) => RANK[one.state] - RANK[other.state]).slice(0, SHOWN);
    const rows = shown.map((upload) => this.#row(upload));
    const list = byId("uploads").querySelector("ul");
    if (rows.some((row, index) => list.children[index] !== row) || rows.length !== list.children.length) {
      list.replaceChildren(...rows);
    }
    const more = all.length - shown.length;
    byId("more-uploads").textContent = more ? `And ${more.toLocaleString("en")} more.` : "";
  }

  #drawOverall(all) {
    const count = (...states) => all.filter((each) => states.includes(each.state)).length;
    const [bytes, done] = [total(all, (each) => each.bytes), total(all, sent)];
    const speed = count("sending") ? this.#speed.of(done) : 0;
    const texts = [`${count("done")} of ${all.length} done`, `${size(done)} of ${size(bytes)}`];
    if (!navigator.onLine && count("sending")) texts.push("offline: goes on by itself");
    else if (speed) texts.push(`${size(speed)}/s`);
    byId("overall").textContent = texts.join(" · ");
    byId("overall-progress").value = bytes ? done / bytes : 0;
    byId("pause-all").hidden = !count("sending", "waiting");
    byId("resume-all").hidden = !count("paused", "failed");
    byId("clear-done").hidden = !count("done");
  }

  #row(upload) {
    if (!this.#rows.has(upload)) this.#rows.set(upload, new Row(upload, this.uploads));
    return this.#rows.get(upload).update();
  }
}

/** One upload. */
class Row {
  #state = null;
  #status = element("p", { class: "status" });
  #progress;
  #actions = element("div", { class: "actions" });

  constructor(upload, uploads) {
    Object.assign(this, { upload, uploads });
    this.#progress = element("progress", { max: upload.bytes, "aria-label": upload.name });
    const text = element("div", { class: "about" }, element("p", { class: "title" }, upload.name));
    text.append(this.#progress, this.#status);
    this.node = element("li", {}, badge(upload.name), text, this.#actions);
  }

  update() {
    const { upload } = this;
    this.#progress.value = sent(upload);
    this.#status.textContent = status(upload);
    if (this.#state !== upload.state) {
      this.#state = this.node.dataset.state = upload.state;
      this.#actions.replaceChildren(...this.#buttons());
    }
    return this.node;
  }

  #buttons() {
    const { upload, uploads } = this;
    const labelled = (icon, label, action) =>
      button(icon, `${label} ${upload.name}`, action, { alone: true, class: "quiet" });
    const cancel = labelled("close", "Cancel", () => uploads.cancel(upload).catch(complain));
    const resume = () => uploads.resume(upload);
    const again = () => reopened(upload, uploads).catch(complain);
    return {
      waiting: () => [labelled("pause", "Pause", () => uploads.pause(upload)), cancel],
      sending: () => [labelled("pause", "Pause", () => uploads.pause(upload)), cancel],
      paused: () => [labelled("resume", "Resume", resume), cancel],
      interrupted: () => [button("resume", upload.handle ? "Resume" : "Choose file", again), cancel],
      failed: () => [button("refresh", "Try again", resume), cancel],
      done: () => [],
    }[upload.state]();
  }
}

function status(upload) {
  const part = Math.floor((100 * sent(upload)) / upload.bytes);
  const all = size(upload.bytes);
  return {
    waiting: `${all} · waiting`,
    sending: `${size(sent(upload))} of ${all} · ${part} %`,
    paused: `${size(sent(upload))} of ${all} · paused`,
    interrupted: upload.handle
      ? `${all} · interrupted`
      : `${all} · interrupted: choose the same file to go on`,
    failed: upload.problem,
    done: `${all} · done`,
  }[upload.state];
}

/** Goes on with the same file: by its handle, or as the person chooses it. */
async function reopened(upload, uploads) {
  if (upload.handle && (await upload.handle.requestPermission({ mode: "read" })) === "granted") {
    return resumed(upload, uploads, await upload.handle.getFile());
  }
  const input = byId("again-input");
  input.onchange = () => {
    if (input.files.length) resumed(upload, uploads, input.files[0]);
    input.value = "";
  };
  input.click();
}

function resumed(upload, uploads, file) {
  const problem = uploads.resume(upload, file);
  if (problem) complain(new Error(problem));
}

const total = (all, value) => all.reduce((sum, each) => sum + value(each), 0);

/** Bytes a second, over the last few seconds. */
class Speed {
  #samples = [];

  of(bytes) {
    const now = performance.now();
    this.#samples = this.#samples.filter(([time, sum]) => now - time < 5000 && sum <= bytes);
    this.#samples.push([now, bytes]);
    const [[time, sum]] = this.#samples;
    return now - time < 500 ? 0 : Math.round((1000 * (bytes - sum)) / (now - time));
  }
}
