// Tables that sort. A column: {key, title, number, show(row) → text or node, by(row) → what it is sorted by, tip}.

import { fill, h } from "./dom.js";

/**
 * @param {string} caption what a screen reader says of it, with units
 * @param {Array<Object>} columns
 * @param {Array<Object>} rows
 * @param {{order?: string, most?: number}} [more] order: key, with - before it for the largest first
 */
export function table(caption, columns, rows, { order = "", most = 500 } = {}) {
  let [key, down] = [order.replace(/^-/, ""), order.startsWith("-")];
  const body = h("tbody");
  const heads = columns.map((column) =>
    h("th", { scope: "col", class: column.number ? "number" : null }, button(column)),
  );
  const element = h(
    "table",
    {},
    h("caption", { class: "visually-hidden" }, caption),
    h("thead", {}, h("tr", {}, heads)),
    body,
  );
  draw();
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption }, element);

  function button(column) {
    return h(
      "button",
      { type: "button", data: column.tip ? { tip: column.tip } : {}, on: { click: () => sortBy(column) } },
      column.title,
    );
  }

  function sortBy(column) {
    down = key === column.key ? !down : Boolean(column.number);
    key = column.key;
    draw();
  }

  function draw() {
    columns.forEach((column, place) => {
      const isThis = column.key === key;
      heads[place].setAttribute("aria-sort", isThis ? (down ? "descending" : "ascending") : "none");
      heads[place].firstChild.textContent = column.title + (isThis ? (down ? " ↓" : " ↑") : "");
    });
    fill(
      body,
      sorted()
        .slice(0, most)
        .map((row) =>
          h(
            "tr",
            {},
            columns.map((column) => cell(column, row)),
          ),
        ),
    );
  }

  function sorted() {
    const column = columns.find((each) => each.key === key);
    if (!column) return rows;
    const of = column.by ?? ((row) => row[column.key]);
    return [...rows].sort((one, two) => {
      const [a, b] = [of(one), of(two)];
      if (a === null || a === undefined) return 1;
      if (b === null || b === undefined) return -1;
      return (a < b ? -1 : a > b ? 1 : 0) * (down ? -1 : 1);
    });
  }
}

function cell(column, row) {
  const shown = column.show ? column.show(row) : (row[column.key] ?? "–");
  return h("td", { class: [column.number && "number", column.class].filter(Boolean).join(" ") || null }, shown);
}
