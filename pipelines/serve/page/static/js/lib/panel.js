// A part of a page: a title, what is in it, how far to trust it, and where the same data are. It looks by itself.

import { Problem, address } from "./ask.js";
import { fill, h } from "./dom.js";
import { at, link, whenChanged } from "./state.js";
import { brief, words } from "./told.js";

let number = 0;

/**
 * @typedef {Object} Part
 * @property {string} title
 * @property {string} [width] class of the grid: quarter, third, half, wide
 * @property {() => Promise<any>} load asks for what is drawn; its `meta` (or that of the first of a list) is told below
 * @property {(body: HTMLElement, found: any) => void} draw
 * @property {(found: any) => string|false} [empty] a sentence where there is nothing to draw
 * @property {number} [every] seconds after which it looks again; 0: never
 * @property {Promise<any>} [after] what it waits for before it looks the first time
 * @property {[string, Object]} [same] path and query of the same data in /v1
 * @property {string} [sql] the same data as SQL
 * @property {(refresh: () => void) => Array<Node>} [tools] what stands on the right of the title
 */

/** Make a panel; returns {element, refresh}. @param {Part} part */
export function panel(part) {
  const id = `part-${++number}`;
  const body = h("div", { class: "body" }, h("div", { class: "waiting" }, h("i"), h("i"), h("i")));
  const told = h("span", { class: "told", id: `${id}-told` });
  const links = h("span", { class: "links" });
  const element = h(
    "section",
    {
      class: `panel ${part.width ?? ""}`,
      "aria-labelledby": id,
      "aria-describedby": `${id}-told`,
      data: { part: part.name ?? "" },
    },
    h("header", {}, h("h2", { id }, part.title), h("div", { class: "right" }, part.tools?.(() => refresh()) ?? [])),
    body,
    h("footer", {}, told, links),
  );
  let isDrawn = false;
  let turn = 0;

  async function refresh() {
    const mine = ++turn;
    element.setAttribute("aria-busy", "true");
    try {
      const found = await part.load();
      if (mine !== turn) return;
      show(found);
    } catch (error) {
      if (mine !== turn || error.name === "AbortError") return;
      if (!(error instanceof Problem)) console.error(error);
      if (!isDrawn || error.status) fill(body, h("p", { class: "problem", role: "alert" }, error.message, retry()));
    } finally {
      if (mine === turn) element.removeAttribute("aria-busy");
    }
  }

  function show(found) {
    const meta = (Array.isArray(found) ? found.find((each) => each?.meta) : found)?.meta;
    const nothing = part.empty?.(found);
    if (nothing) fill(body, h("p", { class: "empty" }, nothing));
    else part.draw(body, found);
    isDrawn = true;
    if (meta) {
      told.textContent = brief(meta);
      told.dataset.tip = words(meta);
      element.dataset.told = words(meta);
    }
    fill(links, sources());
  }

  function sources() {
    const same = typeof part.same === "function" ? part.same() : part.same;
    const sql = typeof part.sql === "function" ? part.sql() : part.sql;
    const [path, query] = same ?? [];
    return [
      same && h("a", { href: address(`/table/${path}`, query) }, "table"),
      same &&
        h(
          "a",
          { href: address(`/v1/${path}`, { ...query, format: "csv" }), download: `${path.replaceAll("/", "-")}.csv` },
          "CSV",
        ),
      sql && h("a", { href: link("/sql", { query: sql }) }, "SQL"),
    ];
  }

  const retry = () => h("button", { type: "button", on: { click: refresh } }, "Try again");
  if (part.every !== 0) repeat(refresh, part.every ?? 15, element);
  if (part.after) part.after.then(refresh);
  else refresh();
  return { element, refresh };
}

/** Run again every so many seconds while the page is seen and shows the present. */
function repeat(work, seconds, element) {
  const timer = setInterval(() => {
    if (!element.isConnected && element.dataset.was) clearInterval(timer);
    else if (element.isConnected) {
      element.dataset.was = "1";
      if (document.visibilityState === "visible" && !at()) work();
    }
  }, seconds * 1000);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible" && element.isConnected && !at()) work();
  });
  let looked = at();
  whenChanged(() => {
    if (at() !== looked && element.isConnected) {
      looked = at();
      work();
    }
  });
}
