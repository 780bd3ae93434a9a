// The sign of a file's kind.

import { element } from "./dom.js";
import { suffix } from "./format.js";

const SUFFIXES = {
  image: "png jpg jpeg gif webp avif svg bmp ico",
  text: "txt md csv tsv json jsonl xml yaml yml html css js ts py sh log",
  document: "pdf doc docx ppt pptx odt xls xlsx epub",
  archive: "zip gz tar tgz zst 7z xz bz2 rar",
  media: "mp3 mp4 wav m4a ogg webm mov mpeg flac",
};
const KIND = {};
for (const [kind, all] of Object.entries(SUFFIXES)) for (const each of all.split(" ")) KIND[each] = kind;

/** The suffix of a name, in the colour of its kind. */
export function badge(name) {
  const text = suffix(name);
  const kind = Object.hasOwn(KIND, text) ? KIND[text] : "other";
  return element("span", { class: `badge ${kind}`, "aria-hidden": "true" }, text.slice(0, 4) || "file");
}
