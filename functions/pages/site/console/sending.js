// The way of a file into storage: announced to the API, then sent straight to the bucket.

import { ApiError, call, unreachable } from "./api.js";

const MIB = 1024 ** 2;
const WHOLE_BYTES = 5 * MIB; // up to here, one request is enough
const PART_BYTES = 8 * MIB;
const MAX_PARTS = 10_000; // of S3
const CONNECTIONS = 4;
const PARTS_A_PAGE = 16; // their URLs are used soon, so that none expires
const TRIES = 6;

/**
 * Announces a file; returns its id, and the size of its parts or the `target` of the whole. A call on
 * its way is not stopped: nobody would know the id of its file.
 */
export async function announce({ name, bytes, type, purpose, seconds }, signal) {
  const least = Math.ceil(bytes / MAX_PARTS / MIB) * MIB;
  const partSize = bytes > WHOLE_BYTES ? Math.max(PART_BYTES, least) : undefined;
  const body = { filename: name, purpose, bytes, mime_type: type || undefined, part_size: partSize };
  if (seconds) body.expires_after = { anchor: "created_at", seconds };
  const file = await retried(() => call("POST", "files", { body }), signal);
  return { id: file.id, partSize, target: partSize ? undefined : file.upload };
}

/** The file of an upload that was begun earlier; null if it is gone. */
export async function begun(id, signal) {
  try {
    return await retried(() => call("GET", `files/${id}`, { signal }), signal);
  } catch (problem) {
    if (problem.status === 404) return null;
    throw problem;
  }
}

/** Sends a file in one request. `progress(1, bytes)` tells how much is sent. */
export async function sendWhole({ target, file }, progress, signal) {
  await retried(async () => {
    const status = await put(target, file.slice(), (bytes) => progress(1, bytes), signal);
    if (status !== 200 && status !== 412) throw refused(status); // 412: an earlier try has arrived
  }, signal);
}

/** Sends the parts that have not arrived. `progress(number, bytes)` tells how much of each has. */
export async function sendParts({ id, partSize, file }, progress, signal) {
  const parts = listed(id, signal);

  async function work() {
    for (let next; !(next = await parts.next()).done;) {
      const part = next.value;
      if (part.uploaded) progress(part.part_number, part.bytes);
      else await sendPart(part);
    }
  }

  async function sendPart({ part_number: number, bytes, upload }) {
    const start = (number - 1) * partSize;
    await retried(async (tries) => {
      const target = tries === 1 ? upload : await freshTarget(id, number, signal);
      const content = file.slice(start, start + bytes);
      const status = await put(target, content, (sent) => progress(number, sent), signal);
      if (status !== 200) throw refused(status);
    }, signal);
  }

  await Promise.all(Array.from({ length: CONNECTIONS }, work));
}

/** The file, once all its bytes have arrived. */
export const arrived = (id, signal) => retried(() => call("GET", `files/${id}`, { signal }), signal);

async function* listed(id, signal) {
  for (let after = 0, page; !page || page.has_more; after = page.data.at(-1).part_number) {
    const query = { limit: PARTS_A_PAGE, after };
    page = await retried(() => call("GET", `files/${id}/parts`, { query, signal }), signal);
    yield* page.data;
  }
}

async function freshTarget(id, number, signal) {
  const query = { limit: 1, after: number - 1 };
  return (await call("GET", `files/${id}/parts`, { query, signal })).data[0].upload;
}

/** A PUT; unlike those of `fetch`, it tells its progress. Resolves to the status. */
function put({ method, url, headers }, content, progress, signal) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const stop = () => request.abort();
    signal.addEventListener("abort", stop);
    request.open(method, url);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = (event) => progress(event.loaded);
    request.onload = () => resolve(request.status);
    request.onerror = () => reject(new ApiError(unreachable()));
    request.onabort = () => reject(signal.reason);
    request.onloadend = () => signal.removeEventListener("abort", stop);
    request.send(content);
  });
}

/** Storage has refused: for parts, a fresh URL may help. */
function refused(status) {
  const error = new ApiError(`The storage refused the bytes (status ${status}).`, status);
  Object.defineProperty(error, "passes", { value: true });
  return error;
}

/** Tries again what may pass, and waits as long as the browser is offline. */
async function retried(work, signal) {
  for (let tries = 1; ; tries++) {
    try {
      return await work(tries);
    } catch (problem) {
      if (signal.aborted || !problem.passes || tries >= TRIES) throw problem;
      if (!navigator.onLine) tries = 1;
      await untilWorthwhile(500 * 2 ** tries, signal);
    }
  }
}

function untilWorthwhile(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    if (navigator.onLine) setTimeout(resolve, milliseconds);
    else addEventListener("online", resolve, { once: true });
  });
}
