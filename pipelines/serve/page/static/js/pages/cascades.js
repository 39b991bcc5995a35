// Cascades: the list, and the anatomy of one, second by second. The URL names the one that is looked at.

import { ask } from "../lib/ask.js";
import { CASCADE_USD, COIN, LASTED, MOVE, MULTIPLE, SIDE, atLeast } from "../lib/columns.js";
import { fill, h } from "../lib/dom.js";
import { change, count, moment, share, side, usd } from "../lib/format.js";
import { panel } from "../lib/panel.js";
import { get, link, set, whenChanged } from "../lib/state.js";
import { table } from "../lib/table.js";
import { anatomy } from "./cascades/anatomy.js";

/** Open the page. */
export function open(main) {
  const one = panel(anatomy());
  let shown = get("id");
  whenChanged(() => get("id") !== shown && ((shown = get("id")), one.refresh()));
  main.append(
    h("div", { class: "grid" }, one.element, panel(list()).element, panel(together()).element, panel(days()).element),
  );
}

function list() {
  return {
    title: "Cascades of seven days",
    name: "list",
    every: 30,
    load: () => ask("/v1/cascades/recent", { order: "-ts_start", limit: 300 }),
    same: ["cascades/recent", { order: "-ts_start" }],
    sql: "FROM cascades_recent",
    empty: (found) => !found.data.length && "None was found. In time that was not heard there may have been some.",
    draw: (body, { data }) =>
      fill(
        body,
        table(
          "Cascades of seven days, the newest first",
          [
            {
              key: "ts_start",
              title: "Began",
              show: (row) =>
                h(
                  "a",
                  { href: link("/cascades", { id: row.cascade_id }), on: { click: (event) => pick(event, row) } },
                  moment(row.ts_start),
                  row.ts_start.slice(16, 19),
                ),
            },
            COIN,
            {
              key: "position_side",
              title: "Side",
              show: (row) =>
                h(
                  "span",
                  { class: row.position_side },
                  side(row.position_side),
                  row.side_share < 0.99 && ` ${share(row.side_share, 0)}`,
                ),
            },
            CASCADE_USD,
            { key: "count", title: "Liquidations", number: true, show: (row) => count(row.count) },
            MULTIPLE,
            MOVE,
            { key: "move_1h", title: "1 h later", number: true, show: (row) => change(row.move_1h) },
            LASTED,
            {
              key: "coins_at_once",
              title: "Coins at once",
              number: true,
              show: (row) =>
                h("span", {}, count(row.coins_at_once), row.market_wide && h("span", { class: "tag plain" }, "market")),
            },
            {
              key: "saturated_share",
              title: "At the limit",
              number: true,
              tip: "Share of the seconds in which throttled feeds may have left liquidations out",
              show: (row) => share(row.saturated_share, 0),
            },
            { key: "venues", title: "Venues", class: "wrap" },
          ],
          data,
          { most: 300 },
        ),
      ),
  };
}

function pick(event, row) {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  set({ id: row.cascade_id }, { push: true });
  scrollTo({ top: 0 });
}

function together() {
  return {
    title: "Market-wide, 30 days",
    name: "wide",
    width: "half",
    every: 60,
    load: () => ask("/v1/cascades/market_wide", { order: "-ts_start", limit: 100 }),
    same: ["cascades/market_wide"],
    sql: "FROM cascades_market_wide",
    empty: (found) => !found.data.length && "No time in 30 days with several coins in a cascade at once.",
    draw: (body, { data }) =>
      fill(
        body,
        table(
          "Times with several coins in a cascade at once",
          [
            { key: "ts_start", title: "Began", show: (row) => moment(row.ts_start) },
            SIDE,
            {
              key: "usd",
              title: "USD",
              number: true,
              show: (row) => atLeast(row),
            },
            { key: "coins", title: "Coins", number: true },
            { key: "bases", title: "Which", class: "wrap" },
          ],
          data,
        ),
      ),
  };
}

function days() {
  return {
    title: "By day and coin, 30 days",
    name: "days",
    width: "half",
    every: 300,
    load: () => ask("/v1/cascades/by_day", { order: "-day", limit: 300 }),
    same: ["cascades/by_day", { order: "-day" }],
    sql: "FROM cascades_by_day ORDER BY day DESC",
    empty: (found) => !found.data.length && "None in 30 days.",
    draw: (body, { data }) =>
      fill(
        body,
        table(
          "Cascades by day, coin and side",
          [
            { key: "day", title: "Day", show: (row) => row.day.slice(0, 10) },
            COIN,
            SIDE,
            { key: "cascades", title: "Number", number: true },
            { key: "usd", title: "USD", number: true, show: (row) => usd(row.usd) },
            { key: "largest_cascade_usd", title: "Largest", number: true, show: (row) => usd(row.largest_cascade_usd) },
          ],
          data,
          { most: 300 },
        ),
      ),
  };
}
