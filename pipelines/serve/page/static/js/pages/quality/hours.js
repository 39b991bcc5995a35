// The matrix: each channel of each venue, hour by hour. It is a table, so that a screen reader and the keyboard can walk it.

import { ask } from "../../lib/ask.js";
import { fill, h, tabs } from "../../lib/dom.js";
import { moment, share } from "../../lib/format.js";
import { get, set } from "../../lib/state.js";

const RANGES = [
  ["1d", "24 h"],
  ["3d", "3 d"],
  ["7d", "7 d"],
];
const HOURS = { "1d": 24, "3d": 72, "7d": 168 };
const KINDS = [
  ["good", "heard whole"],
  ["part", "heard in part"],
  ["none", "not heard"],
  ["suspect", "suspiciously quiet"],
  ["filled", "filled in since"],
  ["blank", "before it began"],
];

/** A part of the page. */
export function hours() {
  return {
    title: "What was heard, by channel and hour",
    name: "hours",
    every: 60,
    tools: (again) => [
      tabs("Time", RANGES, get("range", "1d"), (range) => (set({ range: range === "1d" ? null : range }), again())),
    ],
    load: () => ask("/page/heard", { range: get("range", "1d") }),
    same: ["liquidations/coverage_by_hour", { order: "-hour" }],
    sql: "SELECT hour, venue, channel, avg(connected_share) AS heard FROM feed_coverage WHERE hour >= as_of() - INTERVAL 1 DAY GROUP BY ALL ORDER BY ALL",
    empty: (found) => !found.data.length && "Nothing was listened to in this time.",
    draw,
  };
}

function draw(body, { data, meta }) {
  const number = HOURS[get("range", "1d")] ?? 24;
  const last = Math.floor(Date.parse(meta.as_of) / 3600e3);
  const channels = new Map();
  for (const row of data) {
    const key = `${row.venue}\n${row.channel}\n${row.transport}`;
    const channel = channels.get(key) ?? {
      venue: row.venue,
      channel: row.channel,
      transport: row.transport,
      carries: row.carries_liquidations,
      hours: new Map(),
    };
    channel.hours.set(Math.floor(Date.parse(row.hour) / 3600e3), row);
    channels.set(key, channel);
  }
  const columns = Array.from({ length: number }, (_, place) => last - number + 1 + place);
  const every = number > 24 ? 24 : matchMedia("(max-width: 700px)").matches ? 6 : 3;
  const head = h(
    "tr",
    {},
    h("th", { scope: "col" }, "Venue"),
    h("th", { scope: "col" }, "Channel"),
    h("th", { scope: "col", class: "number" }, "Heard"),
    heads(columns, every).map(([hour, span]) =>
      h("th", { scope: "col", class: "hour", colspan: span }, mark(hour, every)),
    ),
  );
  const rows = [...channels.values()].map((channel) =>
    h(
      "tr",
      { class: channel.carries ? "carries" : null },
      h("th", { scope: "row" }, channel.venue),
      h("td", {}, channel.channel, channel.carries && h("span", { class: "tag plain" }, "liquidations")),
      h("td", { class: "number" }, share(mean(channel, columns), 1)),
      columns.map((hour) => cell(channel, hour)),
    ),
  );
  const was = body.querySelector(".scroll")?.scrollLeft;
  fill(
    body,
    h(
      "div",
      { class: "scroll", tabindex: "0", role: "region", "aria-label": "What was heard, by channel and hour" },
      h(
        "table",
        { class: "matrix", style: { "--hours": String(number) } },
        h("caption", { class: "visually-hidden" }, "Share of each hour in which a channel was heard"),
        h(
          "colgroup",
          {},
          ["venue", "channel", "heard"].map((name) => h("col", { class: `of-${name}` })),
          h("col", { span: String(number) }),
        ),
        h("thead", {}, head),
        h("tbody", {}, rows),
      ),
    ),
    h(
      "p",
      { class: "note keys" },
      KINDS.map(([kind, words]) => h("span", {}, h("i", { class: `cell ${kind}` }), words)),
    ),
  );
  const scroll = body.querySelector(".scroll");
  scroll.scrollLeft = was ?? scroll.scrollWidth;
}

function cell(channel, hour) {
  const row = channel.hours.get(hour);
  const when = `${channel.venue} ${channel.channel}, ${moment(new Date(hour * 3600e3).toISOString())}`;
  if (!row)
    return h("td", { class: "hour" }, h("i", { class: "cell blank", data: { tip: `${when}: nobody listened yet` } }));
  const words = [
    `heard ${share(row.connected_share, 1)}`,
    row.minutes_suspect && `${row.minutes_suspect} minutes suspect`,
    row.minutes_silent && `${row.minutes_silent} minutes silent though connected`,
    row.reason,
    row.repaired && "filled in since",
  ]
    .filter(Boolean)
    .join("; ");
  return h(
    "td",
    { class: "hour" },
    h("i", {
      class: `cell ${kindOf(row)}`,
      style: { "--heard": row.connected_share },
      data: { tip: `${when}: ${words}` },
    }),
    h("span", { class: "visually-hidden" }, `${when}: ${words}`),
  );
}

/** The first hour of each group below one head, and how many it has. */
function heads(columns, every) {
  const found = [];
  for (const hour of columns) {
    if (!found.length || hour % every === 0) found.push([hour, 0]);
    found.at(-1)[1] += 1;
  }
  return found;
}

function kindOf(row) {
  if (row.repaired && row.connected_share < 1) return "filled";
  if (row.minutes_suspect || row.minutes_silent) return "suspect";
  return row.connected_share >= 0.9999 ? "good" : row.connected_share > 0 ? "part" : "none";
}

function mean(channel, columns) {
  const found = columns.map((hour) => channel.hours.get(hour)).filter(Boolean);
  const minutes = found.reduce((sum, row) => sum + row.minutes, 0);
  return minutes ? found.reduce((sum, row) => sum + row.connected_share * row.minutes, 0) / minutes : null;
}

function mark(hour, every) {
  const iso = new Date(hour * 3600e3).toISOString();
  return every >= 12 ? moment(iso).slice(0, -6) : iso.slice(11, 16);
}
