// What is in a file, as far as a browser can show it without running any of it.

import { call } from "./api.js";
import { element } from "./dom.js";
import { size, suffix } from "./format.js";

const MB = 1000 ** 2;
const TEXT_BYTES = 100_000; // of the beginning
const MAX_BYTES = { image: 25 * MB, pdf: 50 * MB };
const IMAGES = {
  png: "image/png",
  jpg: "image/jpeg",
  jpeg: "image/jpeg",
  gif: "image/gif",
  webp: "image/webp",
  avif: "image/avif",
  bmp: "image/bmp",
  ico: "image/x-icon",
  svg: "image/svg+xml", // in an <img>, its scripts do not run
};
const TEXTS = new Set(
  "txt md csv tsv json jsonl ndjson xml yaml yml toml ini html css js ts py sh sql log tex".split(" "),
);

/** An element that shows a file. When `signal` is aborted, its bytes are let go. */
export async function preview(file, signal) {
  const kind = suffix(file.filename);
  const shows = kind in IMAGES ? "image" : kind === "pdf" ? "pdf" : TEXTS.has(kind) ? "text" : null;
  if (!shows) return note("There is no preview for files of this type.");
  if (file.bytes > MAX_BYTES[shows]) return note(`There is no preview above ${size(MAX_BYTES[shows])}.`);
  if (shows === "text") return text(file, signal);
  const content = await (await fetched(file, signal)).blob();
  return shows === "image" ? image(file, content, IMAGES[kind], signal) : pdf(file, content, signal);
}

const note = (sentence) => element("p", { class: "hint" }, sentence);

async function fetched({ id }, signal, headers = {}) {
  const { url } = await call("GET", `files/${id}/url`, { signal });
  const answer = await fetch(url, { headers, signal });
  if (!answer.ok) throw new Error(`The storage answered with status ${answer.status}.`);
  return answer;
}

async function text(file, signal) {
  const answer = await fetched(file, signal, { Range: `bytes=0-${TEXT_BYTES - 1}` });
  const content = await answer.text();
  if (content.includes("\0")) return note("This file has no text.");
  const shown = element("pre", { tabindex: "0", "aria-label": `Text of ${file.filename}` }, content);
  if (file.bytes <= TEXT_BYTES) return shown;
  return element("div", {}, shown, note(`The first ${size(TEXT_BYTES)} of ${size(file.bytes)}.`));
}

async function image(file, content, type, signal) {
  const shown = element("img", { src: address(content, type, signal), alt: `Preview of ${file.filename}` });
  try {
    await shown.decode();
    return shown;
  } catch {
    return note("This file is not an image, or is damaged.");
  }
}

/**
 * The browser's own viewer shows it. Browsers refuse to do that in a frame with `sandbox`; the fixed
 * type, and the page's policy, which the frame inherits, see to it that nothing in it is run as a page.
 */
async function pdf(file, content, signal) {
  if ((await content.slice(0, 5).text()) !== "%PDF-") return note("This file is not a PDF.");
  const src = `${address(content, "application/pdf", signal)}#toolbar=0`;
  return element("iframe", { src, title: `Preview of ${file.filename}` });
}

function address(content, type, signal) {
  const url = URL.createObjectURL(new Blob([content], { type }));
  signal.addEventListener("abort", () => URL.revokeObjectURL(url));
  return url;
}
