// What must be known before any figure is believed: away, stale, silent, past, a wrong clock, a lower bound.

import { ask, health } from "../lib/ask.js";
import { fill, h } from "../lib/dom.js";
import { age, clock, moment, share } from "../lib/format.js";
import { at, link, whenChanged } from "../lib/state.js";
import { STALE_S } from "../lib/told.js";

const LOOK_MS = 15_000;
const CLOCK_OFF_S = 120;

/** Look every quarter of a minute, and write what is wrong into the banner. */
export function watchBanner(banner) {
  const known = { down: null, meta: null, heard: 0, feeds: [], day: null };
  health.addEventListener("down", (event) => {
    known.down ??= { since: new Date(), why: event.detail };
    draw();
  });
  health.addEventListener("up", (event) => {
    const wasDown = known.down;
    known.down = null;
    Object.assign(known, event.detail);
    if (wasDown) draw();
  });
  async function look() {
    if (document.visibilityState !== "visible") return;
    try {
      const [feeds, totals] = await Promise.all([
        ask("/v1/quality/feed_states"),
        ask("/v1/liquidations/totals_overall"),
      ]);
      known.feeds = feeds.data;
      known.day = totals.data.find((row) => row.hours === 24) ?? null;
    } catch {
      // `down` was told already, and what is known stays
    }
    draw();
  }
  const draw = () => {
    const lines = said(known);
    banner.hidden = !lines.length;
    const text = lines.map((line) => line.join("|")).join("\n");
    if (banner.dataset.text === text) return;
    banner.dataset.text = text;
    fill(
      banner,
      lines.map(([kind, word, sentence, where]) =>
        h(
          "p",
          { class: kind },
          h("b", {}, word),
          h("span", {}, sentence, where ? " " : "", where && h("a", { href: link(where) }, "What was heard, and when")),
        ),
      ),
    );
  };
  look();
  setInterval(look, LOOK_MS);
  whenChanged(look);
}

/** The lines, the worst first: [class, word, sentence, page]. */
function said(known) {
  const lines = [];
  if (known.down) {
    lines.push([
      "bad",
      "Away",
      `No data since ${clock(known.down.since.toISOString())} UTC: ${known.down.why}. What is shown is older.`,
    ]);
  }
  if (at())
    lines.push(["info", "Past", `This is ${moment(at())} UTC as it is known today. Nothing on this page is of now.`]);
  if (!known.meta) return lines;
  lines.push(...ofClock(known), ...ofAge(known), ...ofFeeds(known), ...ofTotals(known));
  return lines;
}

function ofClock({ meta, heard }) {
  const off = at() ? 0 : (heard - Date.parse(meta.as_of)) / 1000;
  const ahead = meta.data_to && !at() ? (Date.parse(meta.data_to) - Date.parse(meta.as_of)) / 1000 : 0;
  if (ahead > CLOCK_OFF_S)
    return [
      [
        "bad",
        "Clock",
        `The newest data are from ${age(ahead)} after the service's clock: that clock, or Kafka's, is wrong, and ages with it.`,
      ],
    ];
  if (Math.abs(off) < CLOCK_OFF_S) return [];
  return [
    [
      "warn",
      "Clock",
      `This device's clock is ${age(Math.abs(off))} ${off > 0 ? "ahead of" : "behind"} the service's. Times here are the service's.`,
    ],
  ];
}

function ofAge({ meta }) {
  if (meta.age_s === null)
    return [
      ["warn", "Empty", "Nothing is stored yet. Start the collectors and ingest: `liq up`, or `liq demo` to try it."],
    ];
  if (meta.age_s <= STALE_S || at()) return [];
  return [
    [
      "bad",
      "Stale",
      `Nothing was stored for ${age(meta.age_s)}. Collectors, Kafka or ingest stand still: \`liq status\` says which.`,
      "/quality",
    ],
  ];
}

function ofFeeds({ feeds }) {
  const lines = [];
  for (const [state, kind, sentence] of [
    ["SILENT", "bad", "not heard now"],
    ["SUSPECT", "warn", "suspiciously quiet"],
  ]) {
    const those = feeds
      .filter((feed) => feed.state === state)
      .map((feed) => `${feed.venue} ${feed.channel}${feed.reason ? ` (${feed.reason})` : ""}`);
    const named = those.slice(0, 3).join(", ") + (those.length > 3 ? ` and ${those.length - 3} more` : "");
    if (those.length)
      lines.push([
        kind,
        state === "SILENT" ? "Silent" : "Suspect",
        `${those.length} of ${feeds.length} liquidation feeds ${sentence}: ${named}.`,
        "/quality",
      ]);
  }
  return lines;
}

function ofTotals({ day }) {
  if (!day || day.lower_bound !== true) return [];
  const heard =
    day.coverage_share === null
      ? "how long they were heard is not measured"
      : `the feed heard least was heard ${share(day.coverage_share)} of the last 24 hours`;
  const part =
    day.usd > 0 ? `; ${share(day.complete_usd / day.usd, 0)} of the USD is from feeds that send everything` : "";
  return [["info", "At least", `Totals are lower bounds: ${heard}${part}.`, "/quality"]];
}
