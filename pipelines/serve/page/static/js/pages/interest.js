// Open interest: what is open of each coin, where, in what it is margined, and how that changed.

import { ask } from "../lib/ask.js";
import { coin } from "../lib/columns.js";
import { meter } from "../lib/bars.js";
import { fill, h } from "../lib/dom.js";
import { age, change, count, share, usd, whole } from "../lib/format.js";
import { panel } from "../lib/panel.js";
import { table } from "../lib/table.js";
import { fig } from "../lib/told.js";

const css = (value) => (value < 0 ? "down" : "up");

/** Open the page. */
export function open(main) {
  main.append(
    h(
      "div",
      { class: "grid" },
      [coins(), venues(), margins()].map((part) => panel(part).element),
    ),
  );
}

function coins() {
  return {
    title: "By coin",
    name: "coins",
    every: 20,
    load: () =>
      Promise.all([
        ask("/v1/open-interest/by_coin", { order: "-oi_usd", limit: 1000 }),
        ask("/v1/open-interest/change_by_coin", { limit: 3000 }),
        ask("/v1/open-interest/to_volume", { limit: 1000 }),
      ]),
    same: ["open-interest/by_coin", { order: "-oi_usd" }],
    sql: "FROM open_interest_by_coin ORDER BY oi_usd DESC",
    empty: ([found]) => !found.data.length && "No open interest is stored.",
    draw: (body, [found, changed, volume]) => {
      const of = (base, hours) => changed.data.find((row) => row.base === base && row.hours === hours);
      const ratios = new Map(volume.data.map((row) => [row.base, row.oi_to_volume]));
      const moved = (hours, title) => ({
        key: `change_${hours}`,
        title,
        number: true,
        by: (row) => of(row.base, hours)?.change_base_share,
        show: (row) => {
          const one = of(row.base, hours);
          return one
            ? h(
                "span",
                { class: css(one.change_base_share) },
                fig(
                  change(one.change_base_share),
                  `In coins; in US dollars ${usd(one.change_usd)}, of which ${usd(one.change_usd_positions)} by positions and ${usd(one.change_usd_price)} by the price`,
                ),
              )
            : "–";
        },
      });
      fill(
        body,
        table(
          "Open interest of each coin, one side, in US dollars",
          [
            { key: "base", title: "Coin", show: coin },
            {
              key: "oi_usd",
              title: "USD",
              number: true,
              show: (row) =>
                fig(usd(row.oi_usd), `${whole(row.oi_usd)}; ${count(row.oi_base)} coins; sides: ${row.sides}`),
            },
            { key: "share", title: "Share", number: true, show: (row) => share(row.share) },
            moved(1, "1 h, coins"),
            moved(4, "4 h, coins"),
            moved(24, "24 h, coins"),
            {
              key: "ratio",
              title: "Against volume",
              number: true,
              tip: "Open interest against the volume of 24 hours",
              by: (row) => ratios.get(row.base),
              show: (row) => ratios.get(row.base)?.toFixed(2) ?? "–",
            },
            { key: "contracts", title: "Contracts", number: true },
            {
              key: "venues",
              title: "Venues",
              class: "wrap",
              show: (row) =>
                h(
                  "span",
                  {},
                  row.venues,
                  row.venues_left_out && h("span", { class: "down" }, ` · without ${row.venues_left_out}`),
                ),
            },
            {
              key: "oldest_age_s",
              title: "Oldest value",
              number: true,
              show: (row) => h("span", { class: row.contracts_stale ? "down" : null }, age(row.oldest_age_s)),
            },
          ],
          found.data,
          { order: "-oi_usd" },
        ),
      );
    },
  };
}

function venues() {
  return {
    title: "By venue",
    name: "venues",
    width: "half",
    every: 30,
    load: () => ask("/v1/open-interest/by_venue", { limit: 10000 }),
    same: ["open-interest/by_venue"],
    sql: "SELECT venue, sum(oi_usd) AS oi_usd FROM open_interest_by_venue GROUP BY venue ORDER BY oi_usd DESC",
    empty: (found) => !found.data.length && "No open interest is stored.",
    draw: (body, { data }) => {
      const sums = new Map();
      for (const row of data)
        sums.set(row.venue, {
          venue: row.venue,
          usd: (sums.get(row.venue)?.usd ?? 0) + (row.oi_usd ?? 0),
          sides: row.sides,
          unpriced: (sums.get(row.venue)?.unpriced ?? 0) + row.contracts_unpriced,
        });
      const rows = [...sums.values()].sort((one, other) => other.usd - one.usd);
      fill(
        body,
        h(
          "ul",
          { class: "rows" },
          rows.map((row) =>
            h(
              "li",
              {},
              h(
                "div",
                { class: "line" },
                h("b", {}, row.venue),
                fig(usd(row.usd), `${whole(row.usd)}; what the venue counts: ${row.sides}`),
              ),
              meter(row.usd / rows[0].usd, `${row.venue}: ${usd(row.usd)}`),
              row.unpriced > 0 &&
                h("div", { class: "line note" }, `${row.unpriced} contracts without a USD amount are not in it`),
            ),
          ),
        ),
      );
    },
  };
}

function margins() {
  return {
    title: "By margin",
    name: "margins",
    width: "half",
    every: 60,
    load: () => ask("/v1/open-interest/by_margin", { order: "-oi_usd", limit: 200 }),
    same: ["open-interest/by_margin", { order: "-oi_usd" }],
    sql: "FROM open_interest_by_margin ORDER BY oi_usd DESC",
    empty: (found) => !found.data.length && "No open interest is stored.",
    draw: (body, { data }) =>
      fill(
        body,
        table(
          "Open interest by what it is margined in",
          [
            { key: "base", title: "Coin", show: coin },
            {
              key: "contract",
              title: "Margined in",
              show: (row) => `${row.settle ?? "?"}${row.contract === "inverse" ? " (inverse)" : ""}`,
            },
            { key: "oi_usd", title: "USD", number: true, show: (row) => fig(usd(row.oi_usd), whole(row.oi_usd)) },
            { key: "contracts", title: "Contracts", number: true },
            { key: "venues", title: "Venues", class: "wrap" },
          ],
          data,
          { order: "-oi_usd", most: 200 },
        ),
      ),
  };
}
