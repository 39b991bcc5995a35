// What was received and stored: lag, frames, checks, dead letters, values that rows lack.

import { ask } from "../../lib/ask.js";
import { fill, h, pill } from "../../lib/dom.js";
import { age, count, moment, share } from "../../lib/format.js";
import { table } from "../../lib/table.js";

const RESULT = { ok: "good", warning: "warn", failure: "bad" };
const WORST_FIRST = ["failure", "warning", "ok"];

/** How long records wait until they are stored. */
export function lag() {
  return {
    title: "Lag: from Kafka to the warehouse",
    name: "lag",
    width: "half",
    every: 20,
    load: () => ask("/page/lag"),
    sql: "SELECT kafka_topic, max(ts_commit) AS last_commit, max(appended_last) AS last_record FROM ingest_commits GROUP BY ALL",
    empty: (found) => !found.data.length && "Nothing was stored in two days.",
    draw: (body, { data }) =>
      fill(
        body,
        table(
          "Lag of each Kafka topic",
          [
            { key: "kafka_topic", title: "Topic" },
            {
              key: "age_s",
              title: "Newest record",
              number: true,
              show: (row) => h("span", { class: row.age_s > 60 ? "down" : null }, `${age(row.age_s)} ago`),
            },
            {
              key: "lag_s",
              title: "Lag, median",
              number: true,
              tip: "Of the last hour: from Kafka's clock until the row was committed",
              show: (row) => (row.lag_s === null ? "–" : `${row.lag_s.toFixed(1)} s`),
            },
            {
              key: "lag_most_s",
              title: "At most",
              number: true,
              show: (row) => (row.lag_most_s === null ? "–" : `${row.lag_most_s.toFixed(1)} s`),
            },
            { key: "frames_1h", title: "Frames, 1 h", number: true, show: (row) => count(row.frames_1h) },
            { key: "dead_letters_1h", title: "Unread, 1 h", number: true, show: (row) => count(row.dead_letters_1h) },
          ],
          data,
        ),
      ),
  };
}

/** Frames received and stored, by venue. */
export function frames() {
  return {
    title: "Frames: received and stored",
    name: "frames",
    width: "half",
    every: 60,
    load: () => ask("/v1/quality/frames_by_venue", { order: "venue" }),
    same: ["quality/frames_by_venue"],
    sql: "FROM frames_by_venue",
    empty: (found) => !found.data.length && "No session is known yet.",
    draw: (body, { data }) =>
      fill(
        body,
        table(
          "Frames of each venue",
          [
            { key: "venue", title: "Venue", show: (row) => h("b", {}, row.venue) },
            { key: "frames_received", title: "Received", number: true, show: (row) => count(row.frames_received) },
            { key: "frames", title: "Stored", number: true, show: (row) => count(row.frames) },
            {
              key: "missing",
              title: "Missing",
              number: true,
              show: (row) => h("span", { class: row.missing > 0 ? "down" : null }, count(row.missing)),
            },
            { key: "dropped", title: "Dropped", number: true, show: (row) => count(row.dropped) },
            { key: "frames_dead", title: "Unread", number: true, show: (row) => count(row.frames_dead) },
            {
              key: "whole",
              title: "Whole",
              show: (row) =>
                row.whole === null ? pill("not known", "warn") : row.whole ? pill("yes", "good") : pill("no", "bad"),
            },
          ],
          data,
        ),
      ),
  };
}

/** Results of the data checks. */
export function audit() {
  return {
    title: "Data checks",
    name: "audit",
    width: "half",
    every: 60,
    load: () => ask("/v1/general/audit_last", { limit: 500 }),
    same: ["general/audit_last"],
    sql: "FROM audit_last",
    empty: (found) => !found.data.length && "No check was run in 30 days: `liq audit` runs them.",
    draw: (body, { data }) =>
      fill(
        body,
        table(
          "Results of the data checks",
          [
            {
              key: "result",
              title: "Result",
              show: (row) => pill(row.result, RESULT[row.result]),
              by: (row) => WORST_FIRST.indexOf(row.result),
            },
            { key: "name", title: "Check" },
            { key: "table", title: "Table" },
            { key: "offenders", title: "Rows", number: true, show: (row) => count(row.offenders) },
            { key: "meaning", title: "What must be true", class: "wrap" },
            { key: "ts", title: "Looked", number: true, show: (row) => moment(row.ts) },
          ],
          data,
          { order: "result" },
        ),
      ),
  };
}

/** What could not be read. */
export function dead() {
  return {
    title: "Dead letters: what could not be read",
    name: "dead",
    width: "half",
    every: 60,
    load: () => ask("/v1/quality/dead_letters_summary", { order: "-last" }),
    same: ["quality/dead_letters_summary"],
    sql: "FROM dead_letters_summary ORDER BY last DESC",
    empty: (found) => !found.data.length && "None. Every frame was read.",
    draw: (body, { data }) =>
      fill(
        body,
        table(
          "Dead letters by venue, channel and reason",
          [
            { key: "venue", title: "Venue", show: (row) => h("b", {}, row.venue) },
            { key: "channel", title: "Channel" },
            { key: "reason", title: "Reason", class: "wrap" },
            { key: "items", title: "Items", number: true, show: (row) => count(row.items) },
            { key: "last_24h", title: "24 h", number: true, show: (row) => count(row.last_24h) },
            { key: "last", title: "Last", number: true, show: (row) => moment(row.last) },
          ],
          data,
        ),
      ),
  };
}

/** Values that rows lack. */
export function nulls() {
  return {
    title: "Values that rows lack",
    name: "nulls",
    every: 120,
    load: () => ask("/v1/quality/null_shares", { order: "-share", limit: 300 }),
    same: ["quality/null_shares"],
    sql: "FROM null_shares WHERE nulls > 0 ORDER BY share DESC",
    empty: (found) => !found.data.some((row) => row.nulls) && "None in 24 hours.",
    draw: (body, { data }) =>
      fill(
        body,
        table(
          "Shares of rows without a value, of 24 hours",
          [
            { key: "table", title: "Table" },
            { key: "venue", title: "Venue", show: (row) => h("b", {}, row.venue) },
            { key: "column", title: "Column" },
            { key: "nulls", title: "Without", number: true, show: (row) => count(row.nulls) },
            { key: "rows", title: "Rows", number: true, show: (row) => count(row.rows) },
            { key: "share", title: "Share", number: true, show: (row) => share(row.share) },
          ],
          data.filter((row) => row.nulls),
          { order: "-share", most: 120 },
        ),
      ),
  };
}
