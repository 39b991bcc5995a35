// Funding: what longs pay shorts, coin by venue, and what a difference between two venues would earn.

import { ask } from "../lib/ask.js";
import { fill, h } from "../lib/dom.js";
import { age, change, rate, usd, whole } from "../lib/format.js";
import { panel } from "../lib/panel.js";
import { link } from "../lib/state.js";
import { table } from "../lib/table.js";
import { fig } from "../lib/told.js";
import { arbitrage, cumulative, spend } from "./funding/further.js";

const FULL = 0.0005;
const coin = (base) => h("a", { href: link(`/coin/${encodeURIComponent(base)}`) }, base);
const css = (value) => (value < 0 ? "down" : "up");

/** Open the page. */
export function open(main) {
  main.append(
    h(
      "div",
      { class: "grid" },
      [matrix(), arbitrage(), spend(), cumulative()].map((part) => panel(part).element),
    ),
  );
}

function matrix() {
  return {
    title: "Funding of eight hours, by coin and venue",
    name: "matrix",
    every: 20,
    load: () =>
      Promise.all([
        ask("/v1/funding/current", {
          stale: "false",
          limit: 5000,
          columns: "venue,base,symbol,quote,rate_8h,rate_year,interval_hours,next_funding_ts,age_s",
        }),
        ask("/v1/funding/oi_weighted", { order: "-oi_usd", limit: 300 }),
      ]),
    same: ["funding/current", { stale: "false" }],
    sql: "FROM funding_current WHERE NOT stale",
    empty: ([current]) => !current.data.length && "No running funding rate is stored.",
    draw,
  };
}

function draw(body, [current, weighted]) {
  const venues = [...new Set(current.data.map((row) => row.venue))].sort();
  const coins = new Map(weighted.data.map((row) => [row.base, { ...row, at: {} }]));
  for (const row of current.data) {
    if (!coins.has(row.base))
      coins.set(row.base, { base: row.base, rate_8h: null, rate_year: null, oi_usd: null, at: {} });
    const kept = coins.get(row.base).at[row.venue];
    if (!kept || (kept.quote !== "USDT" && row.quote === "USDT")) coins.get(row.base).at[row.venue] = row;
  }
  const rows = [...coins.values()].filter((row) => Object.keys(row.at).length);
  fill(
    body,
    table(
      "Running funding rates in percent of eight hours, by coin and venue",
      [
        { key: "base", title: "Coin", show: (row) => coin(row.base) },
        {
          key: "oi_usd",
          title: "Open interest",
          number: true,
          show: (row) => (row.oi_usd ? fig(usd(row.oi_usd), whole(row.oi_usd)) : "–"),
        },
        {
          key: "rate_8h",
          title: "Weighted",
          number: true,
          tip: "Weighted by open interest",
          show: (row) => h("b", { class: css(row.rate_8h) }, rate(row.rate_8h)),
        },
        { key: "rate_year", title: "A year", number: true, show: (row) => change(row.rate_year, 1) },
        ...venues.map((venue) => ({
          key: venue,
          title: venue,
          number: true,
          class: "heat",
          by: (row) => row.at[venue]?.rate_8h,
          show: (row) => cell(row.at[venue], current.meta),
        })),
      ],
      rows,
      { order: "-oi_usd" },
    ),
    h(
      "p",
      { class: "note" },
      "Above zero longs pay shorts. Of several contracts of a coin at a venue the one in USDT is shown. Deeper colour: further from zero, full at ±0.05 %.",
    ),
  );
}

function cell(row, meta) {
  if (!row) return h("span", { class: "soft" }, "–");
  const next = row.next_funding_ts
    ? `; next in ${age((Date.parse(row.next_funding_ts) - Date.parse(meta.as_of)) / 1000)}`
    : "";
  const strength = Math.min(1, Math.abs(row.rate_8h ?? 0) / FULL);
  return h(
    "span",
    { class: `shade ${css(row.rate_8h)}`, style: { "--strength": `${Math.round(strength * 45)}%` } },
    fig(
      rate(row.rate_8h),
      `${row.symbol}: ${rate(row.rate_8h)} in eight hours, ${change(row.rate_year, 1)} a year; every ${row.interval_hours ?? "?"} h${next}; ${age(row.age_s)} old`,
    ),
  );
}
