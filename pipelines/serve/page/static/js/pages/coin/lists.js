// Funding of a coin at each venue, and its cascades.

import { ask } from "../../lib/ask.js";
import { CASCADE_USD, LASTED, MOVE, MULTIPLE, SIDE } from "../../lib/columns.js";
import { fill, h } from "../../lib/dom.js";
import { age, change, moment, rate } from "../../lib/format.js";
import { link } from "../../lib/state.js";
import { table } from "../../lib/table.js";

/** Running funding at each venue. */
export function fundings(base) {
  return {
    title: "Funding by venue",
    name: "fundings",
    width: "half",
    every: 30,
    load: () => ask("/v1/funding/current", { base, limit: 100 }),
    same: ["funding/current", { base }],
    sql: `FROM funding_current WHERE base = '${base}' ORDER BY rate_8h DESC`,
    empty: (found) => !found.data.length && "No running funding rate of this coin in 24 hours.",
    draw: (body, { data, meta }) =>
      fill(
        body,
        table(
          `Funding of ${base} by contract`,
          [
            { key: "venue", title: "Venue" },
            { key: "symbol", title: "Contract", show: (row) => h("span", { class: "soft" }, row.symbol) },
            {
              key: "rate_8h",
              title: "8 h",
              number: true,
              show: (row) => h("span", { class: row.rate_8h < 0 ? "down" : "up" }, rate(row.rate_8h)),
            },
            { key: "rate_year", title: "A year", number: true, show: (row) => change(row.rate_year, 1) },
            {
              key: "interval_hours",
              title: "Every",
              number: true,
              show: (row) => (row.interval_hours ? `${row.interval_hours} h` : "–"),
            },
            {
              key: "next_funding_ts",
              title: "Next in",
              number: true,
              show: (row) =>
                row.next_funding_ts ? age((Date.parse(row.next_funding_ts) - Date.parse(meta.as_of)) / 1000) : "–",
            },
            {
              key: "age_s",
              title: "Age",
              number: true,
              show: (row) =>
                h("span", { class: row.stale ? "down" : null }, `${age(row.age_s)}${row.stale ? " STALE" : ""}`),
            },
          ],
          data,
          { order: "-rate_8h" },
        ),
      ),
  };
}

/** Cascades of the coin in seven days. */
export function coinCascades(base) {
  return {
    title: "Cascades in 7 days",
    name: "cascades",
    width: "half",
    every: 60,
    load: () => ask("/v1/cascades/recent", { base, order: "-ts_start", limit: 50 }),
    same: ["cascades/recent", { base }],
    sql: `FROM cascades_recent WHERE base = '${base}'`,
    empty: (found) => !found.data.length && "None was found. In time that was not heard there may have been some.",
    draw: (body, { data }) =>
      fill(
        body,
        table(
          `Cascades of ${base}`,
          [
            {
              key: "ts_start",
              title: "Began",
              show: (row) => h("a", { href: link("/cascades", { id: row.cascade_id }) }, moment(row.ts_start)),
            },
            SIDE,
            CASCADE_USD,
            MULTIPLE,
            MOVE,
            LASTED,
          ],
          data,
        ),
      ),
  };
}
