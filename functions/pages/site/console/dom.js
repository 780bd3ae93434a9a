// Elements, made and found.

export const byId = (id) => document.getElementById(id);

/** Makes an element: `element("button", { class: "quiet", onclick }, "Delete")`. */
export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (typeof value === "boolean") made.toggleAttribute(name, value);
    else if (value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

/** A drawing of console.html; decoration, so the text beside it says what it means. */
export function icon(name) {
  const namespace = "http://www.w3.org/2000/svg";
  const drawing = document.createElementNS(namespace, "svg");
  drawing.setAttribute("class", "icon");
  drawing.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(namespace, "use");
  use.setAttribute("href", `#icon-${name}`);
  drawing.append(use);
  return drawing;
}

/** A button with an icon; `label` is shown, or read out alone if the icon is enough. */
export function button(name, label, onclick, { alone = false, ...more } = {}) {
  const properties = alone ? { "aria-label": label, title: label } : {};
  return element(
    "button",
    { type: "button", onclick, ...properties, ...more },
    icon(name),
    alone ? "" : label,
  );
}
