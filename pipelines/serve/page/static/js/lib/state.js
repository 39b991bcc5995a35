// What is looked at is in the URL, so that a link shows the same again.

const changed = new EventTarget();

/** Return a value of the URL, or what is meant without it. */
export function get(name, without = "") {
  return new URLSearchParams(location.search).get(name) ?? without;
}

/**
 * Write values into the URL; null takes one out. `push`: whether Back leads to what was before.
 * @param {Object<string, string|null>} values
 */
export function set(values, { push = false, path = location.pathname } = {}) {
  const query = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(values)) {
    if (value === null || value === "") query.delete(name);
    else query.set(name, value);
  }
  const text = query.toString();
  history[push ? "pushState" : "replaceState"](null, "", text ? `${path}?${text}` : path);
  changed.dispatchEvent(new Event("change"));
}

/** The past moment that is looked at, as ISO text; empty: now. */
export const at = () => get("at");

/** The coin of the path /coin/BTC; empty on other pages. */
export function coin() {
  const found = /^\/coin\/(.+)$/.exec(location.pathname);
  return found ? decodeURIComponent(found[1]) : "";
}

/** A link to a page that keeps the moment that is looked at. */
export function link(path, values = {}) {
  const query = new URLSearchParams({ ...(at() ? { at: at() } : {}), ...values }).toString();
  return query ? `${path}?${query}` : path;
}

export const whenChanged = (then) => changed.addEventListener("change", then);
addEventListener("popstate", () => changed.dispatchEvent(new Event("change")));
