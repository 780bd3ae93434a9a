// The list of files. Only the rows in view are in the page, so that 10,000 files scroll smoothly.

import { call } from "./api.js";
import { badge } from "./badge.js";
import { complain } from "./dialogs.js";
import { byId, element } from "./dom.js";
import { date, files as counted, relative, size } from "./format.js";

const PAGE_FILES = 1000;
const SPARE_ROWS = 12; // above and below the view

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
  #failed = false;

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
    byId("pick-all").onchange = (event) =>
      this.#select(event.target.checked ? this.#files.map((each) => each.id) : []);
    byId("clear-selection").onclick = () => this.#select([]);
  }

  get selected() {
    return [...this.#selected];
  }

  /** Loads the list from its start. */
  async reload() {
    this.clear();
    this.#more = true;
    await this.#load();
  }

  /** Empties the list, as for another person. */
  clear() {
    this.#files = [];
    this.#more = this.#failed = false;
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
      if (this.#loading !== loading) return;
      this.#more = false;
      this.#failed = true;
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
    byId("count").textContent = this.#counted();
    byId("empty").hidden = count > 0 || this.#more;
    byId("empty").textContent = this.#emptiness();
    this.#table.hidden = count === 0;
    this.#table.ariaRowCount = this.#more ? -1 : count + 1;
    const all = byId("pick-all");
    all.checked = count > 0 && this.#selected.size === count;
    all.indeterminate = !all.checked && this.#selected.size > 0;
    this.#draw();
  }

  #counted() {
    const count = counted(this.#files.length);
    if (!this.#more) return this.#failed ? `${count}, not all` : count;
    return this.#files.length ? `first ${count}` : "loading…";
  }

  #emptiness() {
    if (this.#failed) return "The list could not be loaded. Refresh it to try again.";
    if (byId("filter").value) return "There are no files of this purpose.";
    return "There are no files yet. Drop the first one above.";
  }

  #draw() {
    const height = Number.parseFloat(getComputedStyle(this.#table).getPropertyValue("--row"));
    const { top } = this.#body.getBoundingClientRect();
    const count = this.#files.length;
    const first = Math.max(0, Math.min(count, Math.floor(-top / height) - SPARE_ROWS));
    const last = Math.max(first, Math.min(count, Math.ceil((innerHeight - top) / height) + SPARE_ROWS));
    if (this.#range !== `${first}-${last}`) {
      this.#range = `${first}-${last}`;
      this.#show(first, last, height);
    }
    if (last > count - PAGE_FILES / 2) this.#load();
  }

  #show(first, last, height) {
    const focused = document.activeElement;
    const rows = this.#files.slice(first, last).map((file, index) => this.#row(file, first + index));
    this.#rows = new Map(rows.map((row) => [row.dataset.id, row]));
    const below = this.#files.length - last;
    this.#body.replaceChildren(space(first * height), ...rows, space(below * height));
    if (focused.isConnected && focused !== document.activeElement) focused.focus({ preventScroll: true });
  }

  #row(file, index) {
    if (this.#rows.has(file.id)) return this.#rows.get(file.id);
    const pick = element("input", { type: "checkbox", "aria-label": `Select ${file.filename}` });
    pick.checked = this.#selected.has(file.id);
    pick.onchange = () => {
      const others = this.selected.filter((id) => id !== file.id);
      this.#select(pick.checked ? [...others, file.id] : others);
      this.#rows.get(file.id)?.querySelector("input").focus();
    };
    const row = element("tr", { "data-id": file.id, "aria-rowindex": index + 2 });
    row.append(element("td", { class: "pick" }, pick), ...cells(file));
    row.onclick = (event) => {
      if (!event.target.closest(".pick")) this.dispatchEvent(new CustomEvent("open", { detail: file }));
    };
    return row;
  }
}

function cells(file) {
  const created = relative(file.created_at);
  const expires = file.expires_at ? relative(file.expires_at) : "never";
  const when = file.expires_at ? `expires ${expires}` : created;
  const title = element("button", { class: "open", title: file.filename }, file.filename);
  // On a phone, in place of the other columns.
  const brief = element("small", {}, [file.purpose, size(file.bytes), when].join(" · "));
  return [
    element("td", { class: "name" }, badge(file.filename), element("div", {}, title, brief)),
    element("td", { class: "purpose" }, element("span", { class: "tag" }, file.purpose)),
    element("td", { class: "size" }, size(file.bytes)),
    element("td", { class: "created", title: date(file.created_at) }, created),
    element("td", { class: "expires", title: file.expires_at ? date(file.expires_at) : "" }, expires),
  ];
}

/** A row in place of those out of view. */
function space(height) {
  const row = element("tr", { class: "space", "aria-hidden": "true" });
  row.style.height = `${height}px`;
  return row;
}
