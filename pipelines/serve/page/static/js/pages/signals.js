// Signals: which fired, of what each is made, and how often such signals came true beside what happened anyway.

import { ask } from "../lib/ask.js";
import { coin } from "../lib/columns.js";
import { fill, h, tabs } from "../lib/dom.js";
import { age, moment, price, side } from "../lib/format.js";
import { panel } from "../lib/panel.js";
import { get, set } from "../lib/state.js";
import { table } from "../lib/table.js";
import { conditions } from "./signals/conditions.js";
import { history, outcome, thresholds } from "./signals/record.js";

const named = (text) => text.replaceAll("_", " ");

/** Open the page. */
export function open(main) {
  main.append(
    h(
      "div",
      { class: "grid" },
      [current(), outcome(), history(), thresholds()].map((part) => panel(part).element),
    ),
  );
}

function current() {
  const which = () => get("which", "fired");
  return {
    title: "Now",
    name: "current",
    every: 60,
    tools: (again) => [
      tabs(
        "Which",
        [
          ["fired", "Fired"],
          ["near", "All"],
        ],
        which(),
        (value) => (set({ which: value === "fired" ? null : value }), again()),
      ),
    ],
    load: () =>
      ask("/v1/signals/current", which() === "fired" ? { fired: "true", limit: 500 } : { order: "-known", limit: 500 }),
    same: () => ["signals/current", which() === "fired" ? { fired: "true" } : {}],
    sql: () => `FROM signals_current${which() === "fired" ? " WHERE fired" : ""}`,
    empty: (found) => !found.data.length && "None fired in the last full hour. “All” shows how near each one is.",
    draw: (body, { data, meta }) =>
      fill(
        body,
        table(
          "Signals of the last full hour",
          [
            { key: "signal", title: "Signal", show: (row) => h("b", {}, named(row.signal)) },
            { key: "base", title: "Coin", show: coin },
            {
              key: "position_side",
              title: "Whose positions",
              show: (row) => h("span", { class: row.position_side }, side(row.position_side)),
            },
            {
              key: "expected",
              title: "Expected",
              show: (row) =>
                row.expected ? h("span", { class: row.expected === "down" ? "down" : "up" }, row.expected) : "–",
            },
            {
              key: "fired",
              title: "Fired",
              show: (row) =>
                row.fired
                  ? h("span", { class: "pill good" }, row.passed ? "passed since" : "yes")
                  : h("span", { class: "soft" }, row.known < row.needed ? "not known" : "no"),
            },
            {
              key: "conditions",
              title: "Made of",
              class: "wrap",
              show: (row) => h("div", { class: "conditions" }, conditions(row.conditions)),
            },
            {
              key: "zone_low",
              title: "Zone",
              number: true,
              show: (row) => (row.zone_low ? `${price(row.zone_low)} – ${price(row.zone_high)}` : "–"),
            },
            { key: "levels_score", title: "Score of the map", class: "wrap", show: (row) => row.levels_score ?? "–" },
          ],
          data,
        ),
        h(
          "p",
          { class: "note" },
          data[0]
            ? `Of ${moment(data[0].ts)} UTC, ${age((Date.parse(meta.as_of) - Date.parse(data[0].ts)) / 1000)} ago. An ingredient that is not known is no “no”.`
            : "",
        ),
      ),
  };
}
