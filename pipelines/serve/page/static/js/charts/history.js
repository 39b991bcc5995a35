// USD liquidated over time: longs down, shorts up, drawn as SVG.

import { ask } from "../lib/ask.js";
import { fill, h, s, tabs } from "../lib/dom.js";
import { moment, usd, whole } from "../lib/format.js";
import { get, set } from "../lib/state.js";

const RANGES = [
  ["1h", "1 h"],
  ["4h", "4 h"],
  ["1d", "24 h"],
  ["7d", "7 d"],
  ["30d", "30 d"],
];
const SPAN_S = { "1h": 3600, "4h": 14400, "1d": 86400, "7d": 604800, "30d": 2592000 };
const BAR_S = { "1h": 60, "4h": 60, "1d": 300, "7d": 1800, "30d": 7200 };
const [WIDTH, HEIGHT] = [960, 210];

/** A part of a page: liquidations by bar, of a coin or of all. */
export function history({ coin = () => "", width = "wide" } = {}) {
  const choose = (again) => [
    tabs("Range", RANGES, get("range", "1d"), (range) => (set({ range: range === "1d" ? null : range }), again())),
  ];
  return {
    title: "Longs and shorts liquidated",
    width,
    name: "history",
    every: 20,
    tools: choose,
    load: () => ask("/page/liquidated", { coin: coin(), range: get("range", "1d") }),
    same: () => ["liquidations/by_minute", coin() ? { base: coin() } : {}],
    sql: () => "SELECT minute, position_side, sum(usd) AS usd FROM liquidations_by_minute GROUP BY ALL ORDER BY minute",
    draw,
  };
}

function draw(body, { meta, data }) {
  const range = get("range", "1d");
  const [until, bar] = [Date.parse(meta.as_of) / 1000, BAR_S[range]];
  const since = Math.floor((until - SPAN_S[range]) / bar) * bar;
  const number = Math.floor((until - since) / bar) + 1;
  const sums = { long: new Float64Array(number), short: new Float64Array(number) };
  for (const row of data) {
    const place = Math.round((Date.parse(row.bar) / 1000 - since) / bar);
    if (sums[row.position_side] && place >= 0 && place < number) sums[row.position_side][place] += row.usd ?? 0;
  }
  const most = Math.max(...sums.long, ...sums.short);
  if (!most)
    return fill(
      body,
      h(
        "p",
        { class: "empty" },
        "No liquidation in this time. Where nothing was heard, there may have been some: see the data quality page.",
      ),
    );
  const step = WIDTH / number;
  const tall = (value) => (value > 0 ? Math.max(1, Math.sqrt(value / most) * 100) : 0);
  const paths = { long: "", short: "" };
  for (let place = 0; place < number; place += 1) {
    const x = (place * step).toFixed(2);
    const w = Math.max(0.6, step - 0.6).toFixed(2);
    paths.short += sums.short[place] ? `M${x},${HEIGHT / 2}h${w}v${-tall(sums.short[place])}h${-w}z` : "";
    paths.long += sums.long[place] ? `M${x},${HEIGHT / 2}h${w}v${tall(sums.long[place])}h${-w}z` : "";
  }
  const total = (side) => sums[side].reduce((one, other) => one + other, 0);
  const mark = s("line", { class: "cross", y1: 0, y2: HEIGHT, x1: -9, x2: -9 });
  const picture = s(
    "svg",
    {
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      preserveAspectRatio: "none",
      class: "history",
      role: "img",
      "aria-label": `Liquidated from ${moment(iso(since))} to ${moment(iso(until))} UTC: longs ${usd(total("long"))}, shorts ${usd(total("short"))}`,
    },
    s("line", { class: "axis", x1: 0, x2: WIDTH, y1: HEIGHT / 2, y2: HEIGHT / 2 }),
    s("path", { class: "shorts", d: paths.short }),
    s("path", { class: "longs", d: paths.long }),
    mark,
  );
  const said = h("p", { class: "note read", "aria-hidden": "true" }, legend());
  picture.addEventListener("pointermove", (event) => {
    const box = picture.getBoundingClientRect();
    const place = Math.min(number - 1, Math.max(0, Math.floor(((event.clientX - box.left) / box.width) * number)));
    for (const end of ["x1", "x2"]) mark.setAttribute(end, (place + 0.5) * step);
    said.textContent = `${moment(iso(since + place * bar))} UTC · longs ${whole(sums.long[place])} · shorts ${whole(sums.short[place])}`;
  });
  picture.addEventListener("pointerleave", () => {
    mark.setAttribute("x1", -9);
    mark.setAttribute("x2", -9);
    said.textContent = legend();
  });
  return fill(
    body,
    said,
    h("div", { class: "history-box" }, picture),
    h(
      "div",
      { class: "line note times" },
      [0, 0.25, 0.5, 0.75, 1].map((part) => h("span", {}, moment(iso(since + part * (until - since))))),
    ),
  );

  function legend() {
    return `Shorts up, longs down; the height is the root of USD, the tallest bar ${usd(most)} in ${bar / 60} min.`;
  }
}

const iso = (seconds) => new Date(seconds * 1000).toISOString();
