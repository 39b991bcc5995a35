// The panes below the candles: what was liquidated, open interest, funding, ratios and RSI, all on one time axis.

import { AreaSeries, HistogramSeries, LineSeries, createSeriesMarkers } from "../vendor-charts.js";
import { ask } from "../lib/ask.js";
import { colour } from "../lib/dom.js";
import { rate, usd, whole } from "../lib/format.js";
import { LINES, MONEY, PERCENT, RATIO } from "./look.js";
import { seconds } from "./times.js";

/**
 * @typedef {Object} Pane
 * @property {string} name in the URL
 * @property {string} title
 * @property {string} chip its button
 * @property {boolean} [isOfContract] whether it asks for more than coin and range
 * @property {(look: {coin: string, range: string, contract: Object, times: Object}) => Promise<any>} load
 * @property {(add: Function, found: any, times: Object) => void} draw
 */

/** @type {Pane[]} */
export const PANES = [
  {
    name: "liquidated",
    title: "Liquidated",
    chip: "Liquidated",
    load: ({ coin, range }) => ask("/page/liquidated", { coin, range }),
    draw(add, { data }, times) {
      for (const [side, sign] of [
        ["short", 1],
        ["long", -1],
      ]) {
        const found = byStart(
          data.filter((row) => row.position_side === side),
          times,
          (row) => ({ value: sign * (row.usd ?? 0) }),
        );
        add(
          HistogramSeries,
          { color: colour(side), priceFormat: MONEY, priceLineVisible: false, lastValueVisible: false },
          found,
          (value) => [side === "long" ? "longs" : "shorts", whole(Math.abs(value)), side],
        );
      }
    },
  },
  {
    name: "interest",
    title: "Open interest",
    chip: "OI",
    load: ({ coin, range }) => ask("/page/interest", { coin, range }),
    draw(add, { data }, times) {
      const found = byStart(
        data.map((row) => ({ ...row, bar: row.bar_start })),
        times,
        (row) => ({ value: row.oi_usd, contracts: row.contracts }),
      );
      const steps = stepsIn(found);
      const base = colour("line-1");
      const series = add(
        AreaSeries,
        {
          lineColor: base,
          topColor: `${base}55`,
          bottomColor: `${base}08`,
          lineWidth: 2,
          priceFormat: MONEY,
          priceLineVisible: false,
        },
        found,
        (value, time) => ["open interest", `${usd(value)}${steps.get(time) ?? ""}`, ""],
      );
      const marks = [...steps.keys()].map((time) => ({ time, position: "inBar", shape: "circle", color: base, size: 0.6 }));
      createSeriesMarkers(series, marks);
    },
  },
  {
    name: "funding",
    title: "Funding, 8 h",
    chip: "Funding",
    load: ({ coin, range }) => ask("/page/funding", { coin, range }),
    draw: (add, { data }, times) => byVenue(add, data, times, (row) => row.rate_8h, PERCENT, rate),
  },
  {
    name: "ratios",
    title: "Long/short accounts",
    chip: "L/S",
    load: ({ coin, range }) => ask("/page/ratios", { coin, range }),
    draw: (add, { data }, times) =>
      byVenue(
        add,
        data.filter((row) => row.kind === "global_accounts"),
        times,
        (row) => row.ratio,
        RATIO,
        (value) => value.toFixed(2),
      ),
  },
  {
    name: "rsi",
    title: "RSI 14",
    chip: "RSI",
    isOfContract: true,
    load: ({ contract, times }) =>
      ask("/v1/price/rsi", {
        named: contract.instrument,
        venue: contract.venue,
        symbol: contract.symbol,
        length: `${times.bar / 60} minutes`,
        bars: times.count + 150,
        columns: "bar,rsi",
        order: "bar",
        limit: 2000,
      }),
    draw(add, { data }, times) {
      const found = byStart(data, times, (row) => (row.rsi === null ? {} : { value: row.rsi }));
      const series = add(
        LineSeries,
        {
          color: colour("line-3"),
          lineWidth: 2,
          priceLineVisible: false,
          priceFormat: { type: "price", precision: 0, minMove: 1 },
        },
        found,
        (value) => ["RSI", value.toFixed(1), ""],
      );
      for (const price of [30, 70])
        series.createPriceLine({
          price,
          color: colour("soft"),
          lineWidth: 1,
          lineStyle: 2,
          axisLabelVisible: false,
          title: "",
        });
    },
  },
];

/** Where contracts join or leave the sum, which makes a step that is not one of positions: by time, in words. */
function stepsIn(found) {
  const steps = new Map();
  let before = null;
  for (const { time, contracts } of [...found.values()].sort((one, other) => one.time - other.time)) {
    if (before !== null && contracts !== before) steps.set(time, ` (a step: ${contracts} contracts, before ${before})`);
    before = contracts;
  }
  return steps;
}

function byVenue(add, data, times, value, priceFormat, show) {
  const venues = [...new Set(data.map((row) => row.venue))].sort();
  venues.forEach((venue, place) => {
    const found = byStart(
      data.filter((row) => row.venue === venue),
      times,
      (row) => ({ value: value(row) }),
    );
    const options = {
      color: colour(LINES[place % LINES.length]),
      lineWidth: 2,
      priceFormat,
      priceLineVisible: false,
      lastValueVisible: false,
    };
    add(LineSeries, options, found, (number) => [venue, show(number), LINES[place % LINES.length]]);
  });
}

/** Rows by the start of their bar, those of the range alone. */
function byStart(rows, times, shown) {
  const found = new Map();
  for (const row of rows) {
    const time = times.start(seconds(row.bar));
    if (time >= times.since && time <= times.until) found.set(time, { time, ...shown(row) });
  }
  return found;
}
