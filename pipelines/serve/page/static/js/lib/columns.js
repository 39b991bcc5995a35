// Columns that several tables have: the coin, the side, and what cascades are told by.

import { h } from "./dom.js";
import { age, change, count, side, usd, whole } from "./format.js";
import { link } from "./state.js";
import { fig } from "./told.js";

/** The coin of a row, as a link to its page. */
export const coin = (row) => h("a", { href: link(`/coin/${encodeURIComponent(row.base)}`) }, row.base);

export const COIN = { key: "base", title: "Coin", show: coin };

export const SIDE = {
  key: "position_side",
  title: "Side",
  show: (row) => h("span", { class: row.position_side }, side(row.position_side)),
};

/** USD of a row that may be a lower bound, with what is said of it on hover. */
export const atLeast = (row, said = whole(row.usd)) => fig(`${row.lower_bound === false ? "" : "≥ "}${usd(row.usd)}`, said);

export const CASCADE_USD = {
  key: "usd",
  title: "USD",
  number: true,
  show: (row) => atLeast(row, `${whole(row.usd)} in ${count(row.count)} liquidations`),
};

export const MULTIPLE = {
  key: "multiple",
  title: "× normal",
  number: true,
  tip: "Peak minute against the coin's normal minute",
  show: (row) => (row.multiple === null ? "–" : count(row.multiple)),
};

export const MOVE = {
  key: "move",
  title: "Price",
  number: true,
  show: (row) => h("span", { class: row.move < 0 ? "down" : "up" }, change(row.move)),
};

export const LASTED = { key: "seconds", title: "Lasted", number: true, show: (row) => age(row.seconds) };
