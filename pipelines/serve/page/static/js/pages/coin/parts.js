// Beside the chart: the score of the map, max pain, clusters.

import { ask } from "../../lib/ask.js";
import { fill, h } from "../../lib/dom.js";
import { change, moment, price, share, usd, whole } from "../../lib/format.js";
import { table } from "../../lib/table.js";
import { fig } from "../../lib/told.js";

/** How good such maps have been, beside simple rules; also when bad. */
export function score(base) {
  return {
    title: "Score of the map",
    name: "score",
    width: "third",
    every: 300,
    load: () => ask("/v1/levels/score", { base }),
    same: ["levels/score", { base }],
    sql: `FROM levels_score WHERE base = '${base}'`,
    empty: (found) =>
      !found.data.length &&
      "Never scored: no back-test of this coin was run. Until one was, take the map as a drawing.",
    draw: (body, { data: [row] }) =>
      fill(
        body,
        h("p", {}, h("b", {}, row.verdict)),
        h(
          "dl",
          { class: "facts" },
          [
            ["Rank correlation, the map", row.rank_correlation, row.rank_correlation_low, row.rank_correlation_high],
            ["… rule “untouched”", row.rank_correlation_untouched],
            ["… rule “distance”", row.rank_correlation_distance],
            ["… rule “volume”", row.rank_correlation_volume],
          ].map(([name, value, low, high]) => [
            h("dt", {}, name),
            h(
              "dd",
              {},
              value === null || value === undefined ? "–" : value.toFixed(2),
              low !== null &&
                low !== undefined &&
                h("span", { class: "soft" }, ` (${low.toFixed(2)} to ${high.toFixed(2)})`),
            ),
          ]),
          h("dt", {}, "In the top tenth of bins"),
          h("dd", {}, share(row.top_decile_mass, 0)),
          h("dt", {}, "Back-test"),
          h("dd", {}, `${row.venue}, ${moment(row.since)} to ${moment(row.until)}`),
        ),
        h("p", { class: "note" }, "1 would foretell the order of all bins, 0 nothing."),
      ),
  };
}

/** The prices below and above with the most estimated levels. */
export function pain(base) {
  return {
    title: "Max pain",
    name: "pain",
    width: "third",
    every: 60,
    load: () => ask("/v1/liquidations/max_pain", { base, order: "range_pct" }),
    same: ["liquidations/max_pain", { base }],
    sql: `FROM liquidation_max_pain WHERE base = '${base}'`,
    empty: (found) => !found.data.length && "No map of this coin in the last 48 hours.",
    draw: (body, { data }) =>
      fill(
        body,
        table(
          `Max pain of ${base}: the price of the bin with the most estimated liquidations; estimates`,
          [
            { key: "range_pct", title: "Within", show: (row) => `±${row.range_pct} %` },
            {
              key: "long_price",
              title: "Longs at",
              number: true,
              show: (row) =>
                h(
                  "span",
                  { class: "long" },
                  fig(
                    price(row.long_price),
                    `≈ ${whole(row.long_usd_estimated)} of longs, estimated; ${change(row.long_price / row.price_now - 1)} away`,
                  ),
                ),
            },
            { key: "long_usd_estimated", title: "≈ USD", number: true, show: (row) => usd(row.long_usd_estimated) },
            {
              key: "short_price",
              title: "Shorts at",
              number: true,
              show: (row) =>
                h(
                  "span",
                  { class: "short" },
                  fig(
                    price(row.short_price),
                    `≈ ${whole(row.short_usd_estimated)} of shorts, estimated; ${change(row.short_price / row.price_now - 1)} away`,
                  ),
                ),
            },
            { key: "short_usd_estimated", title: "≈ USD", number: true, show: (row) => usd(row.short_usd_estimated) },
          ],
          data,
        ),
      ),
  };
}

/** Dense zones of estimated levels near the price. */
export function clusters(base) {
  return {
    title: "Clusters near the price",
    name: "clusters",
    width: "third",
    every: 60,
    load: () => ask("/v1/liquidations/clusters", { base, limit: 60 }),
    same: ["liquidations/clusters", { base }],
    sql: `FROM liquidation_clusters WHERE base = '${base}' ORDER BY price_low DESC`,
    empty: (found) => !found.data.length && "No dense cluster in a map that is young enough.",
    draw: (body, { data }) =>
      fill(
        body,
        table(
          `Clusters of estimated levels of ${base}, from the highest price down; estimates`,
          [
            {
              key: "price_low",
              title: "Zone",
              by: (row) => row.price_low,
              show: (row) =>
                h("span", { class: row.position_side }, `${price(row.price_low)} – ${price(row.price_high)}`),
            },
            { key: "distance", title: "Away", number: true, show: (row) => change(row.distance, 1) },
            {
              key: "usd_estimated",
              title: "≈ USD",
              number: true,
              show: (row) =>
                fig(
                  usd(row.usd_estimated),
                  `≈ ${whole(row.usd_estimated)} of ${row.position_side}s, estimated; densest at ${price(row.peak_price)}`,
                ),
            },
            { key: "share", title: "Share", number: true, show: (row) => share(row.share) },
          ],
          data,
          { order: "-price_low" },
        ),
      ),
  };
}
