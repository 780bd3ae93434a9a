// The list of files. Only the rows in view are in the page, so that 10,000 files scroll smoothly.

import { call } from "./api.js";
import { complain } from "./dialogs.js";
import { byId, element } from "./dom.js";
import { date, files as counted, relative, size, suffix } from "./format.js";

const PAGE_FILES = 1000;
const SPARE_ROWS = 12; // above and below the view
const KINDS = {
  image: "png jpg jpeg gif webp avif svg bmp ico",
  text: "txt md csv tsv json jsonl xml yaml yml html css js ts py sh log",
  document: "pdf doc docx ppt pptx odt xls xlsx epub",
  archive: "zip gz tar tgz zst 7z xz bz2 rar",
  media: "mp3 mp4 wav m4a ogg webm mov mpeg flac",
};
const KIND = new Map(Object.entries(KINDS).flatMap(([kind, all]) => all.split(" ").map((each) => [each, kind])));

/** The suffix of a name, in the colour of its kind. */
export function badge(name) {
  const text = suffix(name);
  return element("span", { class: `badge ${KIND.get(text) ?? "other"}`, "aria-hidden": "true" }, text.slice(0, 4) || "file");
}

/** The table of files. Events: `open` with a file, `select`. */
export class FileList extends EventTarget {
  #table = byId("list").querySelector("table");
  #body = this.#table.tBodies[0];
  #files = [];
  #more = false;
  #loading = null;
  #selected = new Set();
  #rows = new Map();
  #range = "";

  constructor() {
    super();
    addEventListener("scroll", () => this.#draw(), { passive: true });
    addEventListener("resize", () => this.#redraw());
    byId("filter").onchange = () => this.reload();
    byId("refresh").onclick = () => this.reload();
    byId("order").onclick = () => {
      this.#head.ariaSort = this.#ascending ? "descending" : "ascending";
      this.reload();
    };
    byId("pick-all").onchange = (event) => this.#select(event.target.checked ? this.#files.map((each) => each.id) : []);
    byId("clear-selection").onclick = () => this.#select([]);
  }

  get selected() {
    return [...this.#selected];
  }

  /** Loads the list from its start. */
  async reload() {
    this.#files = [];
    this.#more = true;
    this.#loading = null;
    this.#select([]);
    await this.#load();
  }

  /** Empties the list, as for another person. */
  clear() {
    this.#files = [];
    this.#more = false;
    this.#loading = null;
    this.#select([]);
  }

  /** Shows a new file in its place. */
  add(file) {
    const { value: purpose } = byId("filter");
    if (purpose && purpose !== file.purpose) return;
    const place = this.#files.findIndex(({ id }) => (this.#ascending ? id > file.id : id < file.id));
    if (this.#files.some(({ id }) => id === file.id)) return;
    if (place >= 0) this.#files.splice(place, 0, file);
    else if (!this.#more) this.#files.push(file);
    this.#redraw();
  }

  /** Takes deleted files out. */
  remove(ids) {
    const gone = new Set(ids);
    this.#files = this.#files.filter(({ id }) => !gone.has(id));
    this.#select(this.selected.filter((id) => !gone.has(id)));
  }

  get #head() {
    return byId("created-head");
  }

  get #ascending() {
    return this.#head.ariaSort === "ascending";
  }

  async #load() {
    if (this.#loading || !this.#more) return;
    const loading = (this.#loading = {});
    const query = {
      limit: PAGE_FILES,
      purpose: byId("filter").value,
      order: this.#ascending ? "asc" : "desc",
      after: this.#files.at(-1)?.id,
    };
    try {
      const page = await call("GET", "files", { query });
      if (this.#loading !== loading) return; // another list has been asked for meanwhile
      this.#files.push(...page.data);
      this.#more = page.has_more;
    } catch (problem) {
      if (this.#loading === loading) this.#more = false;
      complain(problem);
    }
    this.#loading = null;
    this.#redraw();
  }

  #select(ids) {
    this.#selected = new Set(ids);
    this.dispatchEvent(new Event("select"));
    this.#redraw();
  }

  #redraw() {
    this.#rows.clear();
    this.#range = "";
    const count = this.#files.length;
    byId("count").textContent = this.#more ? (count ? `first ${counted(count)}` : "loading…") : counted(count);
    byId("empty").hidden = count > 0 || this.#more;
    byId("empty").textContent = byId("filter").value
      ? "There are no files of this purpose."
      : "There are no files yet. Drop the first one above.";
    this.#table.hidden = count === 0;
    this.#table.ariaRowCount = this.#more ? -1 : count + 1;
    const all = byId("pick-all");
    all.checked = count > 0 && this.#selected.size === count;
    all.indeterminate = !all.checked && this.#selected.size > 0;
    this.#draw();
  }

  #draw() {
    const height = Number.parseFloat(getComputedStyle(this.#table).getPropertyValue("--row"));
    const { top } = this.#body.getBoundingClientRect();
    const count = this.#files.length;
    const first = Math.max(0, Math.min(count, Math.floor(-top / height) - SPARE_ROWS));
    const last = Math.max(first, Math.min(count, Math.ceil((innerHeight - top) / height) + SPARE_ROWS));
    const range = `${first}-${last}`;
    if (range !== this.#range) {
      this.#range = range;
      const focused = document.activeElement;
      const rows = this.#files.slice(first, last).map((file, index) => this.#row(file, first + index));
      this.#rows = new Map(rows.map((row) => [row.dataset.id, row]));
      this.#body.replaceChildren(space(first * height), ...rows, space((count - last) * height));
      if (focused.isConnected && focused !== document.activeElement) focused.focus({ preventScroll: true });
    }
    if (last > count - PAGE_FILES / 2) this.#load();
  }

  #row(file, index) {
    const known = this.#rows.get(file.id);
    if (known) return known;
    const pick = element("input", { type: "checkbox", "aria-label": `Select ${file.filename}` });
    pick.checked = this.#selected.has(file.id);
    pick.onchange = () => {
      const others = this.selected.filter((id) => id !== file.id);
      this.#select(pick.checked ? [...others, file.id] : others);
      this.#rows.get(file.id)?.querySelector("input").focus();
    };
    const open = () => this.dispatchEvent(new CustomEvent("open", { detail: file }));
    const expires = file.expires_at ? relative(file.expires_at) : "never";
    const brief = `${file.purpose} · ${size(file.bytes)} · ${file.expires_at ? `expires ${expires}` : relative(file.created_at)}`;
    const name = element("td", { class: "name" }, badge(file.filename));
    name.append(
      element("div", {}, element("button", { class: "open", title: file.filename }, file.filename), element("small", {}, brief)),
    );
    const row = element("tr", { "data-id": file.id, "aria-rowindex": index + 2 });
    row.append(
      element("td", { class: "pick" }, pick),
      name,
      element("td", { class: "purpose" }, element("span", { class: "tag" }, file.purpose)),
      element("td", { class: "size" }, size(file.bytes)),
      element("td", { class: "created", title: date(file.created_at) }, relative(file.created_at)),
      element("td", { class: "expires", title: file.expires_at ? date(file.expires_at) : "" }, expires),
    );
    row.onclick = (event) => event.target.closest(".pick") ?? open();
    return row;
  }
}

/** A row in place of those out of view. */
function space(height) {
  const row = element("tr", { class: "space", "aria-hidden": "true" });
  row.style.height = `${height}px`;
  return row;
}
