// The record of signals: what came true, what fired before, and what each asks for.

import { ask } from "../../lib/ask.js";
import { coin } from "../../lib/columns.js";
import { fill, h } from "../../lib/dom.js";
import { change, count, moment, price, share, side } from "../../lib/format.js";
import { table } from "../../lib/table.js";
import { conditions } from "./conditions.js";

const named = (text) => text.replaceAll("_", " ");
const css = (value) => (value < 0 ? "down" : "up");

/** What came true, beside what happened anyway. */
export function outcome() {
  return {
    title: "Track record, beside what happened anyway",
    name: "outcome",
    every: 300,
    load: () => ask("/v1/signals/outcome", { limit: 500 }),
    same: ["signals/outcome"],
    sql: "FROM signals_outcome",
    empty: (found) =>
      !found.data.length && "No signal has an outcome yet: a signal must have fired, and an hour must have passed.",
    draw: (body, { data }) =>
      fill(
        body,
        table(
          "What the price did after each signal, and after any hour",
          [
            { key: "signal", title: "Signal", show: (row) => h("b", {}, named(row.signal)) },
            { key: "position_side", title: "Side", show: (row) => side(row.position_side) },
            { key: "expected", title: "Expected" },
            { key: "base", title: "Coin", show: (row) => row.base ?? "all" },
            { key: "hours", title: "After", number: true, show: (row) => `${row.hours} h` },
            { key: "n", title: "Fired", number: true, show: (row) => count(row.n) },
            {
              key: "share",
              title: "Came true",
              number: true,
              show: (row) =>
                h(
                  "span",
                  { data: { tip: `95 %: ${share(row.share_low)} to ${share(row.share_high)}` } },
                  share(row.share),
                ),
            },
            {
              key: "base_share",
              title: "Anyway",
              number: true,
              tip: "The same of all hours: the base rate",
              show: (row) => share(row.base_share),
            },
            {
              key: "mean",
              title: "Mean move",
              number: true,
              show: (row) => h("span", { class: css(row.mean) }, change(row.mean)),
            },
            { key: "base_mean", title: "Anyway", number: true, show: (row) => change(row.base_mean) },
            { key: "verdict", title: "Verdict", class: "wrap" },
          ],
          data,
        ),
      ),
  };
}

/** What fired before, as it was known then. */
export function history() {
  return {
    title: "What fired before",
    name: "history",
    every: 300,
    load: () => ask("/v1/signals/history", { order: "-ts", limit: 200 }),
    same: ["signals/history", { order: "-ts" }],
    sql: "FROM signals_history ORDER BY ts DESC",
    empty: (found) => !found.data.length && "None has fired yet.",
    draw: (body, { data }) =>
      fill(
        body,
        table(
          "Signals that fired, as they were known then",
          [
            { key: "ts", title: "At", show: (row) => moment(row.ts) },
            { key: "signal", title: "Signal", show: (row) => h("b", {}, named(row.signal)) },
            { key: "base", title: "Coin", show: coin },
            {
              key: "position_side",
              title: "Side",
              show: (row) => h("span", { class: row.position_side }, side(row.position_side)),
            },
            { key: "expected", title: "Expected" },
            { key: "price", title: "Price", number: true, show: (row) => price(row.price) },
            ...[1, 4, 24].map((hours) => ({
              key: `move_${hours}h`,
              title: `${hours} h later`,
              number: true,
              show: (row) => h("span", { class: css(row[`move_${hours}h`]) }, change(row[`move_${hours}h`])),
            })),
            {
              key: "conditions",
              title: "Made of",
              class: "wrap",
              show: (row) => h("div", { class: "conditions" }, conditions(row.conditions)),
            },
          ],
          data,
          { order: "-ts", most: 200 },
        ),
      ),
  };
}

/** What each signal asks for. */
export function thresholds() {
  return {
    title: "What each signal asks for",
    name: "thresholds",
    every: 0,
    load: () => ask("/v1/signals/thresholds", { limit: 500 }),
    same: ["signals/thresholds"],
    sql: "FROM signal_thresholds",
    draw: (body, { data }) =>
      fill(
        body,
        table(
          "Conditions of the signals",
          [
            { key: "signal", title: "Signal", show: (row) => h("b", {}, named(row.signal)) },
            { key: "position_side", title: "Side", show: (row) => side(row.position_side) },
            { key: "expected", title: "Expected" },
            { key: "ingredient", title: "Ingredient", show: (row) => named(row.ingredient) },
            { key: "value", title: "Must be", number: true, show: (row) => `${row.comparison} ${row.value}` },
            { key: "unit", title: "Unit" },
            { key: "role", title: "Role" },
            { key: "meaning", title: "Meaning", class: "wrap" },
          ],
          data,
        ),
      ),
  };
}
