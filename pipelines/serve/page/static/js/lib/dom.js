// Elements without a framework. Text is always text: nothing here reads HTML.

/**
 * Make an element. `props`: `class`, `on` (listeners by event), `style` (CSS properties), `data` (dataset); others are attributes,
 * of which null and false are left out.
 * @param {string} tag
 * @param {Object<string, any>} [props]
 * @param {...(Node|string|number|null|false|Array)} children
 */
export function h(tag, props = {}, ...children) {
  return filled(document.createElement(tag), props, children);
}

/** Make an SVG element; as `h`. */
export function s(tag, props = {}, ...children) {
  return filled(document.createElementNS("http://www.w3.org/2000/svg", tag), props, children);
}

function filled(element, props, children) {
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "class") element.setAttribute("class", value);
    else if (name === "on") for (const [event, then] of Object.entries(value)) element.addEventListener(event, then);
    else if (name === "style") for (const [key, to] of Object.entries(value)) element.style.setProperty(key, to);
    else if (name === "data") Object.assign(element.dataset, value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Replace what an element contains. */
export function fill(element, ...children) {
  element.replaceChildren(
    ...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false),
  );
  return element;
}

/** A word with a dot. `kind`: good, warn or bad; grey without. */
export const pill = (text, kind) => h("span", { class: `pill ${kind ?? ""}` }, text);

const NEAR_MS = 60;

/** A row of buttons of which one is chosen. `options`: [value, label]. `near` is told which one may be chosen soon. */
export function tabs(label, options, chosen, choose, { near = () => {} } = {}) {
  let waiting = 0;
  const leave = () => clearTimeout(waiting);
  function come(value) {
    leave();
    waiting = setTimeout(near, NEAR_MS, value);
  }
  const buttons = options.map(([value, text]) =>
    h(
      "button",
      {
        type: "button",
        "aria-pressed": String(value === chosen),
        data: { value },
        on: { click: () => pick(value), pointerenter: () => come(value), pointerleave: leave, focus: () => come(value) },
      },
      text,
    ),
  );
  function pick(value) {
    for (const each of buttons) each.setAttribute("aria-pressed", String(each.dataset.value === String(value)));
    choose(value);
  }
  return h("div", { class: "tabs", role: "group", "aria-label": label }, buttons);
}

/** A colour of the theme that is in use now. */
export function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}
