// Rows of any query as a table.

import { h } from "../../lib/dom.js";
import { table } from "../../lib/table.js";

/** @param {Array<Object>} rows */
export function results(rows) {
  if (!rows.length) return h("p", { class: "empty" }, "No rows.");
  const columns = Object.keys(rows[0]).map((key) => ({
    key,
    title: key,
    number: rows.some((row) => typeof row[key] === "number"),
    show: (row) => shown(row[key]),
  }));
  return table("Result of the query", columns, rows, { most: 2000 });
}

function shown(value) {
  if (value === null || value === undefined) return h("span", { class: "soft" }, "null");
  if (typeof value === "number")
    return Number.isInteger(value)
      ? value.toLocaleString("en-US")
      : value.toLocaleString("en-US", { maximumSignificantDigits: 9 });
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
