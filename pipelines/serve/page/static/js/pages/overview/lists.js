// The overview's further parts: stress, the largest orders, cascades of the day, funding that is due.

import { ask } from "../../lib/ask.js";
import { COIN, LASTED, MOVE, SIDE, atLeast } from "../../lib/columns.js";
import { meter } from "../../lib/bars.js";
import { fill, h } from "../../lib/dom.js";
import { age, change, clock, count, price, rate, share, side, usd, whole } from "../../lib/format.js";
import { link } from "../../lib/state.js";
import { table } from "../../lib/table.js";
import { fig } from "../../lib/told.js";

const PARTS = [
  ["liquidations", "Liquidations", "Share of the hours of 30 days with less liquidated than the last one"],
  ["imbalance", "One-sidedness", "How one-sided the last hour's liquidations are"],
  ["oi_flush", "Closing", "Open interest that was closed in the last hour, against what counts as full"],
  ["funding", "Funding", "Size of the running funding, weighted by open interest, against what counts as full"],
  ["volatility", "Volatility", "Share of the hours of 30 days with a smaller price range"],
];

/** Market stress with its five parts. */
export function stress() {
  return {
    title: "Market stress",
    width: "third",
    name: "stress",
    every: 30,
    load: () => ask("/v1/market/stress", { scope: "market" }),
    same: ["market/stress", { scope: "market" }],
    sql: "FROM market_stress WHERE scope = 'market'",
    empty: (found) => !found.data.length && "Nothing is known of the market yet.",
    draw: (body, { data: [row] }) =>
      fill(
        body,
        h(
          "p",
          { class: "big" },
          row.score === null
            ? h("span", { class: "soft" }, "not known")
            : fig(
                (100 * row.score).toFixed(0),
                `${row.score.toFixed(3)}: 0 is calm, 1 is the most; ${row.parts} of 5 parts are known`,
              ),
          row.score !== null && h("span", { class: "note" }, " of 100"),
        ),
        row.score === null &&
          h(
            "p",
            { class: "note" },
            `Only ${row.parts} of 5 parts are known, less than half of the weight: a score needs more history.`,
          ),
        h(
          "div",
          { class: "meters" },
          PARTS.map(([key, name, tip]) =>
            h(
              "div",
              { data: { tip } },
              h("span", {}, name),
              meter(row[key], `${name}: ${row[key] === null ? "not known" : share(row[key], 0)}`),
              h("span", { class: "num soft" }, row[key] === null ? "–" : share(row[key], 0)),
            ),
          ),
        ),
      ),
  };
}

/** The largest liquidations of a day. */
export function largest() {
  return {
    title: "Largest in 24 h",
    width: "third",
    name: "largest",
    every: 20,
    load: () => ask("/v1/liquidations/largest", { order: "rank", limit: 12 }),
    same: ["liquidations/largest", { order: "rank" }],
    sql: "FROM liquidation_largest ORDER BY rank",
    empty: (found) => !found.data.length && "No liquidation in 24 hours.",
    draw: (body, { data }) =>
      fill(
        body,
        table(
          "The largest liquidations of 24 hours, in US dollars",
          [
            {
              key: "usd",
              title: "USD",
              number: true,
              show: (row) =>
                h(
                  "span",
                  { class: row.position_side },
                  fig(
                    usd(row.usd),
                    `${side(row.position_side)}, ${whole(row.usd)} at ${price(row.price)} (${row.price_kind})`,
                  ),
                ),
            },
            COIN,
            SIDE,
            { key: "venue", title: "Venue" },
            { key: "ts_event", title: "Time", number: true, show: (row) => clock(row.ts_event) },
          ],
          data,
        ),
      ),
  };
}

/** Cascades of the last day. */
export function cascades() {
  return {
    title: "Cascades of the day",
    width: "third",
    name: "cascades",
    every: 30,
    load: () => ask("/v1/cascades/recent", { order: "-ts_start", limit: 12 }),
    same: ["cascades/recent"],
    sql: "FROM cascades_recent",
    empty: (found) => !found.data.length && "None was found. In time that was not heard there may have been some.",
    draw: (body, { data }) =>
      fill(
        body,
        table(
          "Cascades, the newest first; USD liquidated and the change of the price",
          [
            {
              key: "ts_start",
              title: "Began",
              show: (row) => h("a", { href: link("/cascades", { id: row.cascade_id }) }, clock(row.ts_start)),
            },
            COIN,
            {
              key: "usd",
              title: "USD",
              number: true,
              show: (row) =>
                h(
                  "span",
                  { class: row.position_side },
                  atLeast(
                    row,
                    `${whole(row.usd)} in ${count(row.count)} liquidations, ${share(row.side_share, 0)} of it of ${row.position_side}s`,
                  ),
                ),
            },
            MOVE,
            LASTED,
          ],
          data,
        ),
      ),
  };
}

/** Funding that is paid next, the highest rates of either sign. */
export function funding() {
  return {
    title: "Next funding",
    width: "third",
    name: "funding",
    every: 30,
    load: () =>
      ask("/v1/funding/current", {
        stale: "false",
        limit: 2000,
        columns: "venue,base,symbol,rate_8h,rate_year,interval_hours,next_funding_ts",
      }),
    same: ["funding/current", { stale: "false" }],
    sql: "FROM funding_current WHERE NOT stale ORDER BY abs(rate_8h) DESC",
    empty: (found) => !found.data.length && "No running funding rate is stored.",
    draw: (body, { data, meta }) =>
      fill(
        body,
        table(
          "Running funding rates, for eight hours",
          [
            COIN,
            { key: "venue", title: "Venue" },
            {
              key: "rate_8h",
              title: "Rate 8 h",
              number: true,
              by: (row) => Math.abs(row.rate_8h ?? 0),
              show: (row) =>
                h(
                  "span",
                  { class: row.rate_8h < 0 ? "down" : "up" },
                  fig(
                    rate(row.rate_8h),
                    `${row.symbol}: ${rate(row.rate_8h)} in eight hours, ${change(row.rate_year, 1)} a year; ${row.rate_8h < 0 ? "shorts pay longs" : "longs pay shorts"}`,
                  ),
                ),
            },
            {
              key: "next_funding_ts",
              title: "In",
              number: true,
              show: (row) =>
                row.next_funding_ts ? age((Date.parse(row.next_funding_ts) - Date.parse(meta.as_of)) / 1000) : "–",
            },
          ],
          data,
          { order: "-rate_8h", most: 12 },
        ),
      ),
  };
}
