// The answer about a position, in figures and words.

import { fill, h } from "../../lib/dom.js";
import { change, moment, price, share, usd } from "../../lib/format.js";

import { table } from "../../lib/table.js";

/** Write the answer into an element. `data`: as /page/position has it. */
export function answer(out, data) {
  const away = data.distance;
  const fact = (name, ...value) => [h("dt", {}, name), h("dd", {}, value)];
  fill(
    out,
    h("p", { class: "note" }, "Liquidated at"),
    h(
      "p",
      { class: "big" },
      data.liquidation_price === null ? "never" : price(data.liquidation_price),
      " ",
      away !== null && h("span", { class: "note" }, `${change(away)} from the ${data.distance_from}`),
    ),
    h(
      "dl",
      { class: "facts" },
      fact("Mark price", price(data.mark_price)),
      fact("Bankrupt at", price(data.bankruptcy_price)),
      fact("Margin", `${price(data.position.margin)} ${data.settle ?? ""}`),
      fact("Maintenance margin there", `${price(data.maintenance_margin_at_liquidation)} ${data.settle ?? ""}`),
      fact(
        "Maintenance rate",
        share(data.tier_at_liquidation.maintenance_margin_rate ?? data.tier_at_liquidation.rate, 2),
      ),
    ),
    data.effects.length > 0 && [
      h("h3", {}, "What would change it"),
      h(
        "ul",
        { class: "rows" },
        data.effects.map((each) =>
          h(
            "li",
            {},
            h(
              "div",
              { class: "line" },
              h("span", {}, each.change),
              each.refused
                ? h("span", { class: "down" }, each.refused)
                : h(
                    "b",
                    {},
                    each.price === null ? "never" : price(each.price),
                    each.distance !== null && h("span", { class: "note" }, ` ${change(each.distance)}`),
                  ),
            ),
          ),
        ),
      ),
    ],
    data.stop && [
      h("h3", {}, "A stop outside the clusters"),
      h(
        "p",
        {},
        data.stop.price ? h("b", {}, price(data.stop.price)) : "none",
        h("span", { class: "note" }, ` ${data.stop.reason}`),
      ),
    ],
    data.clusters?.length > 0 && [
      h("h3", {}, "Clusters near (estimated)"),
      table(
        "Clusters of estimated levels",
        [
          {
            key: "price_low",
            title: "Zone",
            show: (row) =>
              h("span", { class: row.position_side }, `${price(row.price_low)} – ${price(row.price_high)}`),
          },
          { key: "usd", title: "≈ USD", number: true, show: (row) => usd(row.usd) },
          { key: "share", title: "Share", number: true, show: (row) => share(row.share) },
        ],
        data.clusters,
      ),
    ],
    data.notes.map((note) => h("p", { class: "note" }, note)),
    data.sources.map((source) =>
      h(
        "p",
        { class: "note" },
        `${source.what}: ${source.source}${source.at ? `, of ${moment(source.at)}` : ""}${source.note ? `; ${source.note}` : ""}`,
      ),
    ),
  );
}
