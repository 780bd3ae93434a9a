// The queue of uploads: what waits, what is sent, what was interrupted by a reload.

import { call } from "./api.js";
import { size } from "./format.js";
import { announce, arrived, begun, sendParts, sendWhole } from "./sending.js";
import { forget, remember, remembered } from "./unfinished.js";

const AT_ONCE = 3;

/**
 * Uploads; each is `{ state, name, bytes, purpose, sent, problem, … }`, and its state is `waiting`,
 * `sending`, `paused`, `interrupted`, `failed` or `done`. An interrupted one needs its file again.
 *
 * Events: `change`, and `done` with the file as detail.
 */
export class Uploads extends EventTarget {
  #all = [];

  get all() {
    return this.#all;
  }

  /** Puts files into the queue; returns sentences about those that cannot be sent. */
  add(found, { purpose, seconds, maxBytes }) {
    const problems = [];
    for (const { file, handle } of found) {
      const { name, size: bytes, lastModified, type } = file;
      const earlier = this.#all.find((each) => each.state === "interrupted" && isOf(each, file));
      if (bytes === 0) {
        problems.push(`“${name}” was not sent: it is empty, and a file needs at least one byte.`);
      } else if (bytes > maxBytes) {
        problems.push(`“${name}” was not sent: files can have at most ${size(maxBytes)} here.`);
      } else if (earlier) {
        Object.assign(earlier, { file, state: "waiting" });
      } else {
        const about = { name, bytes, lastModified, type, purpose, seconds };
        this.#all.push({ ...about, file, handle, state: "waiting", parts: new Map() });
      }
    }
    this.#next();
    return problems;
  }

  /** Brings back what a reload has interrupted. */
  async restore() {
    const known = new Set(this.#all.map((each) => each.id));
    for (const record of await remembered()) {
      if (!known.has(record.id)) this.#all.push({ ...record, state: "interrupted", parts: new Map() });
    }
    this.#changed();
  }

  pause(upload) {
    upload.state = "paused";
    upload.stop?.abort();
    this.#next();
  }

  /** Goes on; an interrupted upload needs its file. Returns a sentence if it is another file. */
  resume(upload, file = upload.file) {
    if (!isOf(upload, file)) return `That is another file: choose “${upload.name}” as it was before.`;
    Object.assign(upload, { file, state: "waiting", problem: undefined });
    this.#next();
    return null;
  }

  /** Stops an upload for good, and deletes what has arrived. */
  async cancel(upload) {
    this.pause(upload);
    this.#remove((each) => each === upload);
    await upload.running;
    if (!upload.id) return;
    await forget(upload.id);
    await call("DELETE", `files/${upload.id}`);
  }

  clearDone() {
    this.#remove((each) => each.state === "done");
  }

  /** Stops everything and forgets it here; `restore` finds it again. */
  leave() {
    for (const each of this.#all) if (each.state === "sending") this.pause(each);
    this.#remove(() => true);
  }

  #remove(condition) {
    this.#all = this.#all.filter((each) => !condition(each));
    this.#changed();
  }

  #next() {
    const busy = this.#all.filter((each) => each.state === "sending").length;
    const waiting = this.#all.filter((each) => each.state === "waiting");
    for (const upload of waiting.slice(0, Math.max(0, AT_ONCE - busy))) {
      const stop = new AbortController();
      const running = Promise.resolve(upload.running).then(() => this.#send(upload, stop));
      Object.assign(upload, { state: "sending", stop, running });
    }
    this.#changed();
  }

  async #send(upload, stop) {
    if (stop.signal.aborted) return;
    try {
      const file = await this.#deliver(upload, stop.signal);
      await forget(upload.id);
      Object.assign(upload, { state: "done", file: undefined });
      this.dispatchEvent(new CustomEvent("done", { detail: file }));
    } catch (problem) {
      if (!stop.signal.aborted) Object.assign(upload, { state: "failed", problem: problem.message });
      stop.abort(); // the parts that are still on their way
    }
    this.#next();
  }

  /** Sends what has not arrived yet; returns the file. */
  async #deliver(upload, signal) {
    if (upload.id) {
      const known = await begun(upload.id, signal);
      if (known?.status === "processed") return known;
      if (!known || !upload.partSize) await this.#startAnew(upload, known, signal);
    }
    if (!upload.id) {
      Object.assign(upload, await announce(upload, signal));
      await remember(upload);
      signal.throwIfAborted();
    }
    const progress = (number, bytes) => {
      upload.parts.set(number, bytes);
      this.#changed();
    };
    await (upload.partSize ? sendParts : sendWhole)(upload, progress, signal);
    return arrived(upload.id, signal);
  }

  /** The URL for a file in one request is not kept, so that the file is announced again. */
  async #startAnew(upload, known, signal) {
    if (known) await call("DELETE", `files/${upload.id}`, { signal });
    await forget(upload.id);
    Object.assign(upload, { id: undefined, parts: new Map() });
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}

/** How many bytes of an upload have been sent. */
export function sent(upload) {
  if (upload.state === "done") return upload.bytes;
  return Math.min(
    upload.bytes,
    [...upload.parts.values()].reduce((sum, bytes) => sum + bytes, 0),
  );
}

/** Whether this is the file of the upload, and has not been changed. */
function isOf(upload, file) {
  return ["name", "lastModified"].every((each) => upload[each] === file[each]) && upload.bytes === file.size;
}
