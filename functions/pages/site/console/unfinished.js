// Uploads that were begun, kept in the browser so that a reload does not lose them: what is needed
// to go on, without the key. Each belongs to the key that began it.

import { session } from "./api.js";

const STORE = "uploads";
const KEPT = ["id", "name", "bytes", "lastModified", "type", "purpose", "seconds", "partSize", "handle"];

/** Keeps an upload. */
export async function remember(upload) {
  const record = Object.fromEntries(KEPT.map((name) => [name, upload[name]]));
  record.owner = await owner();
  await inStore("readwrite", (store) => store.put(record));
}

/** Forgets the upload of a file. */
export const forget = (id) => inStore("readwrite", (store) => store.delete(id));

/** The uploads that this key has begun. */
export async function remembered() {
  const mine = await owner();
  const all = await inStore("readonly", (store) => store.getAll());
  return all.filter((each) => each.owner === mine);
}

/** Tells keys apart, and does not reveal them. */
async function owner() {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(session.key));
  return String(new Uint8Array(digest));
}

async function inStore(mode, request) {
  const opening = indexedDB.open("files-console", 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(STORE, { keyPath: "id" });
  const database = await settled(opening);
  try {
    return await settled(request(database.transaction(STORE, mode).objectStore(STORE)));
  } finally {
    database.close();
  }
}

function settled(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
