// Small help with elements.

const svgNS = "http://www.w3.org/2000/svg";

/** $ finds an element by its id. */
export const $ = (id) => document.getElementById(id);

/** make builds an element: make("li", { class: "x", text: "y" }, children). */
export function make(name, attributes = {}, ...children) {
  return build(document.createElement(name), attributes, children);
}

/** draw builds an element of a picture. */
export function draw(name, attributes = {}, ...children) {
  return build(document.createElementNS(svgNS, name), attributes, children);
}

function build(element, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "text") element.textContent = value;
    else if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value === true) element.setAttribute(key, "");
    else if (value !== false && value !== undefined && value !== null) element.setAttribute(key, value);
  }
  element.append(...children.filter(Boolean));
  return element;
}

/** say sets a text if it has changed. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** set sets an attribute if it has changed. */
export function set(element, name, value) {
  if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
}

/** css reads a colour of the theme. */
export const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
