// Arbitrage between two venues, what is paid a day, and what was paid in a month.

import { ask } from "../../lib/ask.js";
import { fill, h } from "../../lib/dom.js";
import { age, change, rate, usd, whole } from "../../lib/format.js";
import { link } from "../../lib/state.js";
import { table } from "../../lib/table.js";
import { fig } from "../../lib/told.js";

const coin = (base) => h("a", { href: link(`/coin/${encodeURIComponent(base)}`) }, base);
const css = (value) => (value < 0 ? "down" : "up");

/** Pairs of venues with different funding. */
export function arbitrage() {
  return {
    title: "Arbitrage: long where funding is lower, short where it is higher",
    name: "arbitrage",
    every: 60,
    load: () => ask("/v1/funding/arbitrage_current", { order: "-net_return", limit: 150 }),
    same: ["funding/arbitrage_current", { order: "-net_return" }],
    sql: "FROM funding_arbitrage_current ORDER BY net_return DESC",
    empty: (found) => !found.data.length && "No coin has a running rate at two venues.",
    draw: (body, { data }) =>
      fill(
        body,
        table(
          "Pairs of venues, for a position held a week, with a fee of 0.05 % a trade",
          [
            { key: "base", title: "Coin", show: (row) => coin(row.base) },
            {
              key: "long_venue",
              title: "Long at",
              show: (row) =>
                h("span", {}, row.long_venue, " ", h("span", { class: css(row.long_rate_8h) }, rate(row.long_rate_8h))),
            },
            {
              key: "short_venue",
              title: "Short at",
              show: (row) =>
                h(
                  "span",
                  {},
                  row.short_venue,
                  " ",
                  h("span", { class: css(row.short_rate_8h) }, rate(row.short_rate_8h)),
                ),
            },
            { key: "difference_8h", title: "Difference, 8 h", number: true, show: (row) => rate(row.difference_8h) },
            { key: "apr_gross", title: "A year, gross", number: true, show: (row) => change(row.apr_gross, 1) },
            {
              key: "net_return",
              title: "A week, after fees",
              number: true,
              show: (row) => h("b", { class: css(row.net_return) }, change(row.net_return, 3)),
            },
            {
              key: "breakeven_hours",
              title: "Pays after",
              number: true,
              show: (row) => (row.breakeven_hours === null ? "–" : age(row.breakeven_hours * 3600)),
            },
            {
              key: "smaller_oi_usd",
              title: "Smaller open interest",
              number: true,
              show: (row) => usd(row.smaller_oi_usd),
            },
          ],
          data,
          { order: "-net_return", most: 150 },
        ),
        h(
          "p",
          { class: "note" },
          "If the rates stay as they are, which they seldom do. Prices of the two contracts may part.",
        ),
      ),
  };
}

/** What one side pays the other in a day. */
export function spend() {
  return {
    title: "Paid a day at the running rates",
    name: "spend",
    width: "half",
    every: 60,
    load: () => ask("/v1/funding/spend_by_coin", { order: "-oi_usd", limit: 40 }),
    same: ["funding/spend_by_coin"],
    sql: "FROM funding_spend_by_coin",
    empty: (found) => !found.data.length && "Neither rates nor open interest are stored.",
    draw: (body, { data }) =>
      fill(
        body,
        table(
          "US dollars that one side pays the other in a day",
          [
            { key: "base", title: "Coin", show: (row) => coin(row.base) },
            {
              key: "paid_by_longs_day_usd",
              title: "Longs pay",
              number: true,
              show: (row) => fig(usd(row.paid_by_longs_day_usd), whole(row.paid_by_longs_day_usd)),
            },
            {
              key: "paid_by_shorts_day_usd",
              title: "Shorts pay",
              number: true,
              show: (row) => fig(usd(row.paid_by_shorts_day_usd), whole(row.paid_by_shorts_day_usd)),
            },
            {
              key: "spend_day_usd",
              title: "Net",
              number: true,
              show: (row) => h("span", { class: css(row.spend_day_usd) }, usd(row.spend_day_usd)),
            },
            { key: "oi_usd", title: "Open interest", number: true, show: (row) => usd(row.oi_usd) },
          ],
          data,
          { order: "-oi_usd" },
        ),
      ),
  };
}

/** What a long paid in 30 days. */
export function cumulative() {
  return {
    title: "Paid over time, by contract",
    name: "cumulative",
    width: "half",
    every: 300,
    load: () => ask("/v1/funding/cumulative", { days: 30, order: "-cumulative", limit: 300 }),
    same: ["funding/cumulative", { days: 30 }],
    sql: "FROM funding_cumulative WHERE days = 30",
    empty: (found) =>
      !found.data.length &&
      "No settlement of the last 30 days is stored: `liq backfill VENUE --what funding` fetches them.",
    draw: (body, { data }) =>
      fill(
        body,
        table(
          "What a long paid in 30 days, as a share of its notional",
          [
            { key: "base", title: "Coin", show: (row) => coin(row.base) },
            { key: "venue", title: "Venue" },
            {
              key: "cumulative",
              title: "30 days",
              number: true,
              show: (row) => h("span", { class: css(row.cumulative) }, change(row.cumulative, 3)),
            },
            { key: "settlements", title: "Settlements", number: true },
            {
              key: "covered_days",
              title: "Days known",
              number: true,
              show: (row) => row.covered_days?.toFixed(1) ?? "–",
            },
          ],
          data,
          { order: "-cumulative", most: 300 },
        ),
      ),
  };
}
