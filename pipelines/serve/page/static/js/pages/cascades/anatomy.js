// One cascade second by second: what each side lost, the prices of the liquidations, and what each venue sent.

import { ask } from "../../lib/ask.js";
import { fill, h, s } from "../../lib/dom.js";
import { age, change, clock, count, moment, price, share, usd, whole } from "../../lib/format.js";
import { get, link } from "../../lib/state.js";

const [WIDTH, TOP, BOTTOM] = [1000, 150, 110];

/** A part of the page: of the cascade in the URL, else of the largest of the last day or days. */
export function anatomy() {
  let shown = null;
  return {
    title: "Anatomy",
    name: "anatomy",
    every: 0,
    load: async () => (shown = await load()),
    same: () => [
      "liquidations/filled_in",
      shown?.row ? { base: shown.row.base, since: shown.since, until: shown.until } : {},
    ],
    sql: () =>
      shown?.row &&
      `FROM liquidations_filled_in WHERE base = '${shown.row.base}' AND ts_event >= '${shown.since}' AND ts_event < '${shown.until}' ORDER BY ts_event`,
    empty: (found) =>
      !found.row && (get("id") ? "No cascade of seven days has this name." : "No cascade was found in seven days."),
    draw,
  };
}

async function load() {
  const id = get("id");
  const found = await ask("/v1/cascades/recent", id ? { cascade_id: id } : { order: "-usd", limit: 1 });
  const [row] = found.data;
  if (!row) return { ...found, row: null };
  const around = Math.max(15, row.seconds * 0.3) * 1000;
  const since = new Date(Math.floor((Date.parse(row.ts_start) - around) / 1000) * 1000).toISOString().slice(0, 19);
  const until = new Date(Math.ceil((Date.parse(row.ts_end) + around) / 1000) * 1000).toISOString().slice(0, 19);
  const [each, venues] = await Promise.all([
    ask("/v1/liquidations/filled_in", {
      base: row.base,
      since: `${since}Z`,
      until: `${until}Z`,
      order: "ts_event",
      limit: 10000,
      columns: "ts_event,venue,position_side,price,notional_usd,completeness",
    }),
    ask("/v1/cascades/venues", { cascade_id: row.cascade_id, order: "-usd" }),
  ]);
  return { meta: each.meta, row, rows: each.data, venues: venues.data, since, until, next: each.meta.next };
}

function draw(body, found) {
  const { row, rows, venues, since, until } = found;
  const [from, to] = [Date.parse(`${since}Z`) / 1000, Date.parse(`${until}Z`) / 1000];
  const step = Math.max(1, Math.ceil((to - from) / 400));
  const number = Math.ceil((to - from) / step);
  const sums = { long: new Float64Array(number), short: new Float64Array(number) };
  for (const each of rows) {
    const place = Math.floor((Date.parse(each.ts_event) / 1000 - from) / step);
    if (sums[each.position_side] && place < number) sums[each.position_side][place] += each.notional_usd ?? 0;
  }
  fill(
    body,
    h(
      "p",
      {},
      h("a", { href: link(`/coin/${encodeURIComponent(row.base)}`) }, h("b", {}, row.base)),
      ` · ${moment(row.ts_start)}${row.ts_start.slice(16, 19)} UTC · `,
      h("b", { class: row.position_side }, `${row.lower_bound === false ? "" : "≥ "}${whole(row.usd)}`),
      ` in ${age(row.seconds)}, ${count(row.count)} liquidations, ${share(row.side_share, 0)} of the USD of ${row.position_side}s`,
      row.multiple !== null && `, ${count(row.multiple)} times a normal minute`,
      `; price ${change(row.move)}`,
      row.move_1h !== null && `, an hour later ${change(row.move_1h)}`,
    ),
    picture(found, sums, { from, to, step, number }),
    h(
      "div",
      { class: "line note times" },
      [0, 0.25, 0.5, 0.75, 1].map((part) =>
        h("span", {}, clock(new Date((from + part * (to - from)) * 1000).toISOString())),
      ),
    ),
    h(
      "ul",
      { class: "conditions" },
      venues.map((each) =>
        h(
          "li",
          { class: "condition" },
          `${each.venue} (${each.completeness.replaceAll("_", " ")}): ${usd(each.usd)}, ${count(each.count)}, ${share(each.usd_share, 0)}`,
        ),
      ),
    ),
    found.next && h("p", { class: "note" }, "Only the first 10,000 liquidations are drawn."),
  );
}

function picture({ row, rows }, sums, { from, to, step, number }) {
  const most = Math.max(...sums.long, ...sums.short, 1);
  const priced = rows.filter((each) => each.price);
  const prices = priced.map((each) => each.price);
  const [low, high] = [Math.min(...prices), Math.max(...prices)];
  const x = (seconds) => (((seconds - from) / (to - from)) * WIDTH).toFixed(1);
  const y = (value) => (8 + (TOP - 16) * (1 - (value - low) / (high - low || 1))).toFixed(1);
  const wide = WIDTH / number;
  const bars = (which) =>
    [...sums[which]]
      .map((value, place) =>
        value
          ? `M${(place * wide).toFixed(2)},${TOP + BOTTOM}v${-((value / most) * (BOTTOM - 6)).toFixed(2)}h${Math.max(0.7, wide - 0.5).toFixed(2)}V${TOP + BOTTOM}z`
          : "",
      )
      .join("");
  const dots = priced.map((each) =>
    s("circle", {
      cx: x(Date.parse(each.ts_event) / 1000),
      cy: y(each.price),
      r: (1 + 5 * Math.sqrt((each.notional_usd ?? 0) / (row.largest_usd || 1))).toFixed(1),
      class: each.position_side,
    }),
  );
  return h(
    "figure",
    {},
    h(
      "p",
      { class: "note read" },
      `Above: each liquidation at its price, ${price(low)} to ${price(high)}, its area is its USD. Below: USD a ${step === 1 ? "second" : `${step} seconds`}, at most ${usd(most)}.`,
    ),
    s(
      "svg",
      {
        viewBox: `0 0 ${WIDTH} ${TOP + BOTTOM}`,
        class: "anatomy",
        role: "img",
        "aria-label": `Liquidations of ${row.base} second by second; the largest ${usd(row.largest_usd)}, prices from ${price(low)} to ${price(high)}`,
      },
      s("rect", {
        class: "during",
        x: x(Date.parse(row.ts_start) / 1000),
        width: Math.max(1, x(Date.parse(row.ts_end) / 1000) - x(Date.parse(row.ts_start) / 1000)),
        y: 0,
        height: TOP + BOTTOM,
      }),
      dots,
      s("path", { class: "longs", d: bars("long") }),
      s("path", { class: "shorts", d: bars("short") }),
    ),
  );
}
