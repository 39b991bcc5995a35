// Data quality: what was heard of each channel hour by hour, what is missing and why, and what could not be read.

import { ask } from "../lib/ask.js";
import { fill, h, pill } from "../lib/dom.js";
import { age, moment, share } from "../lib/format.js";
import { panel } from "../lib/panel.js";
import { table } from "../lib/table.js";
import { hours } from "./quality/hours.js";
import { audit, dead, frames, lag, nulls } from "./quality/stored.js";

/** Open the page. */
export function open(main) {
  main.append(
    h(
      "div",
      { class: "grid" },
      [feeds(), coverage(), hours(), gaps(), lag(), frames(), audit(), dead(), nulls()].map(
        (part) => panel(part).element,
      ),
    ),
  );
}

const STATE = { LIVE: "good", SUSPECT: "warn", SILENT: "bad" };

function feeds() {
  return {
    title: "Liquidation feeds now",
    name: "feeds",
    width: "half",
    every: 10,
    load: () => ask("/v1/quality/feed_states"),
    same: ["quality/feed_states"],
    sql: "FROM feed_states",
    empty: (found) => !found.data.length && "No liquidation feed was listened to in seven days.",
    draw: (body, { data, meta }) =>
      fill(
        body,
        table(
          "State of each liquidation feed",
          [
            { key: "venue", title: "Venue", show: (row) => h("b", {}, row.venue) },
            { key: "channel", title: "Channel" },
            { key: "state", title: "State", show: (row) => pill(row.state, STATE[row.state]) },
            {
              key: "since",
              title: "For",
              number: true,
              show: (row) => age((Date.parse(meta.as_of) - Date.parse(row.since)) / 1000),
            },
            { key: "last_heard", title: "Last heard", number: true, show: (row) => moment(row.last_heard) },
            { key: "reason", title: "Why", class: "wrap", show: (row) => row.reason ?? "" },
          ],
          data,
          { order: "-state" },
        ),
      ),
  };
}

function coverage() {
  return {
    title: "Heard of the last 24 hours",
    name: "coverage",
    width: "half",
    every: 30,
    load: () => ask("/v1/liquidations/coverage_current", { hours: 24, order: "venue" }),
    same: ["liquidations/coverage_current"],
    sql: "FROM liquidation_coverage_current",
    empty: (found) => !found.data.length && "Nothing was measured in 24 hours.",
    draw: (body, { data }) =>
      fill(
        body,
        table(
          "Share of the time in which each venue was heard",
          [
            { key: "venue", title: "Venue", show: (row) => h("b", {}, row.venue) },
            {
              key: "coverage_share",
              title: "Heard",
              number: true,
              show: (row) =>
                h("span", { class: row.coverage_share < 0.99 ? "down" : null }, share(row.coverage_share, 2)),
            },
            {
              key: "suspect_share",
              title: "Suspect",
              number: true,
              tip: "Share of the time in which a feed was so quiet that it may have been dead",
              show: (row) => share(row.suspect_share, 2),
            },
            {
              key: "saturated_share",
              title: "At its limit",
              number: true,
              tip: "Of the seconds with a liquidation on a throttled feed, those in which it may have left some out",
              show: (row) => share(row.saturated_share, 1),
            },
            { key: "measured_until", title: "Measured until", number: true, show: (row) => moment(row.measured_until) },
          ],
          data,
        ),
      ),
  };
}

function gaps() {
  return {
    title: "What was not heard, and why",
    name: "gaps",
    every: 30,
    load: () => ask("/v1/quality/feed_gaps", { order: "-start", limit: 200 }),
    same: ["quality/feed_gaps", { order: "-start" }],
    sql: "FROM feed_gaps ORDER BY start DESC",
    empty: (found) => !found.data.length && "No gap in 30 days.",
    draw: (body, { data }) =>
      fill(
        body,
        table(
          "Gaps of all feeds in 30 days, the latest first",
          [
            { key: "start", title: "From", show: (row) => moment(row.start) },
            { key: "end", title: "To", show: (row) => (row.ongoing ? pill("goes on", "bad") : moment(row.end)) },
            { key: "missing_s", title: "Not heard", number: true, show: (row) => age(row.missing_s) },
            { key: "venue", title: "Venue", show: (row) => h("b", {}, row.venue) },
            { key: "channel", title: "Channel" },
            { key: "transport", title: "By" },
            { key: "state", title: "State", show: (row) => (row.state ? pill(row.state, STATE[row.state]) : "") },
            { key: "reason", title: "Why", class: "wrap" },
            { key: "repaired", title: "Filled since", show: (row) => (row.repaired ? "yes" : "no") },
          ],
          data,
          { order: "-start", most: 200 },
        ),
      ),
  };
}
