// The overview: what was liquidated in the market, where, and how whole that is.

import { ask } from "../lib/ask.js";
import { split } from "../lib/bars.js";
import { fill, h, tabs } from "../lib/dom.js";
import { count, share, usd, whole } from "../lib/format.js";
import { panel } from "../lib/panel.js";
import { get, link, set } from "../lib/state.js";
import { fig } from "../lib/told.js";
import { history } from "../charts/history.js";
import { feed } from "./overview/feed.js";
import { cascades, funding, largest, stress } from "./overview/lists.js";

const HOURS = [
  ["1", "1 h"],
  ["4", "4 h"],
  ["12", "12 h"],
  ["24", "24 h"],
];

/** Open the page. */
export function open(main) {
  const totals = HOURS.map(([hours, label]) => total(hours, label));
  const coins = panel(byCoin());
  const venues = panel(byVenue());
  const choose = (hours) => {
    set({ hours: hours === "24" ? null : hours });
    coins.refresh();
    venues.refresh();
  };
  main.append(
    h(
      "div",
      { class: "grid" },
      totals.map((each) => each.element),
      panel(history({ width: "wide" })).element,
      panel(stress()).element,
      coins.element,
      venues.element,
      feed(),
      panel(largest()).element,
      panel(cascades()).element,
      panel(funding()).element,
    ),
  );
  const header = coins.element.querySelector(".right");
  header.append(tabs("Hours", HOURS, get("hours", "24"), choose));
}

function total(hours, label) {
  return panel({
    title: `Liquidated, ${label}`,
    width: "quarter",
    name: `total-${hours}`,
    load: () => ask("/v1/liquidations/totals_overall").then(mine),
    every: 5,
    same: ["liquidations/totals_overall", { hours }],
    sql: `FROM liquidation_totals_overall WHERE hours = ${hours}`,
    empty: (found) => !rowOf(found) && "None is stored of this time.",
    draw: (body, found) => {
      const row = rowOf(found);
      fill(
        body,
        h(
          "p",
          { class: "big" },
          row.lower_bound !== false && h("span", { class: "least", title: "at least" }, "≥"),
          fig(usd(row.usd), `${whole(row.usd)} in ${label}, ${count(row.count)} liquidations`),
        ),
        split(row, row.usd, "tall"),
        h(
          "p",
          { class: "split" },
          h(
            "span",
            { class: "long" },
            "Longs ",
            fig(usd(row.long_usd), `Longs: ${whole(row.long_usd)}, ${count(row.long_count)} liquidations`),
            ` · ${share(row.long_share, 0)}`,
          ),
          h(
            "span",
            { class: "short" },
            "Shorts ",
            fig(usd(row.short_usd), `Shorts: ${whole(row.short_usd)}, ${count(row.short_count)} liquidations`),
          ),
        ),
        h(
          "p",
          { class: "split soft" },
          h("span", {}, `${count(row.count)} liquidations`),
          h("span", {}, "largest ", fig(usd(row.largest_usd), `Largest: ${whole(row.largest_usd)}`)),
        ),
      );
    },
  });
  /** What is told below is of these hours alone. */
  function mine(found) {
    const row = rowOf(found);
    return row
      ? {
          ...found,
          meta: {
            ...found.meta,
            coverage_share: row.coverage_share,
            lower_bound: row.lower_bound,
            completeness: row.completeness?.split(", ") ?? [],
            venues: row.venues?.split(", ") ?? [],
          },
        }
      : found;
  }
  function rowOf(found) {
    return found.data.find((row) => String(row.hours) === hours);
  }
}

function byCoin() {
  return {
    title: "By coin",
    name: "coins",
    width: "third",
    every: 10,
    load: () => ask("/v1/liquidations/totals_by_coin", { hours: get("hours", "24"), order: "-usd", limit: 14 }),
    same: () => ["liquidations/totals_by_coin", { hours: get("hours", "24"), order: "-usd" }],
    sql: () => `FROM liquidation_totals_by_coin WHERE hours = ${get("hours", "24")} ORDER BY usd DESC`,
    empty: (found) => !found.data.length && "No liquidation in this time.",
    draw: (body, { data }) =>
      fill(
        body,
        h(
          "ul",
          { class: "rows tight" },
          data.map((row) =>
            h(
              "li",
              {},
              h("a", { href: link(`/coin/${encodeURIComponent(row.base)}`) }, row.base),
              split(row, data[0].usd),
              h(
                "span",
                { class: "num" },
                fig(
                  usd(row.usd),
                  `${row.base}: ${whole(row.usd)}; longs ${whole(row.long_usd)}, shorts ${whole(row.short_usd)}`,
                ),
              ),
            ),
          ),
        ),
      ),
  };
}

function byVenue() {
  return {
    title: "By venue",
    name: "venues",
    width: "third",
    every: 10,
    load: () => ask("/v1/liquidations/totals_by_venue", { hours: get("hours", "24"), order: "-usd" }),
    same: () => ["liquidations/totals_by_venue", { hours: get("hours", "24"), order: "-usd" }],
    sql: () => `FROM liquidation_totals_by_venue WHERE hours = ${get("hours", "24")} ORDER BY usd DESC`,
    empty: (found) => !found.data.length && "No venue is collected yet.",
    draw: (body, { data }) =>
      fill(
        body,
        h(
          "ul",
          { class: "rows" },
          data.map((row) =>
            h(
              "li",
              {},
              h(
                "div",
                { class: "line" },
                h("b", {}, row.venue),
                h(
                  "span",
                  {},
                  fig(
                    `${row.lower_bound === false ? "" : "≥ "}${usd(row.usd)}`,
                    `${row.venue}: ${whole(row.usd)}, ${count(row.count)} liquidations of ${count(row.coins)} coins`,
                  ),
                ),
              ),
              split(row, Math.max(...data.map((each) => each.usd))),
              h(
                "div",
                { class: "line note" },
                h("span", {}, (row.completeness ?? "no liquidation").replaceAll("_", " ")),
                h("span", {}, `heard ${share(row.coverage_share)}`),
              ),
            ),
          ),
        ),
        h(
          "p",
          { class: "note" },
          "Hatched: from feeds that leave liquidations out. Do not compare venues whose feeds differ.",
        ),
      ),
  };
}
