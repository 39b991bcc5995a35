// The coin's figures of now, in a row.

import { ask } from "../../lib/ask.js";
import { split } from "../../lib/bars.js";
import { fill, h } from "../../lib/dom.js";
import { change, price, rate, share, usd, whole } from "../../lib/format.js";
import { fig } from "../../lib/told.js";

/** A part of the page. */
export function strip(base) {
  return {
    title: base,
    name: "strip",
    every: 10,
    width: "strip",
    same: ["liquidations/totals_by_coin", { base }],
    sql: `FROM liquidation_totals_by_coin WHERE base = '${base}'`,
    load: () =>
      Promise.all([
        ask("/v1/liquidations/totals_by_coin", { base, order: "hours" }),
        ask("/v1/price/24h", { base, order: "-volume_usd", limit: 1 }),
        ask("/v1/open-interest/by_coin", { base }),
        ask("/v1/open-interest/change_by_coin", { base, hours: 24 }),
        ask("/v1/funding/oi_weighted", { base }),
      ]),
    draw: (body, [totals, prices, interest, changed, funding]) =>
      fill(
        body,
        h(
          "dl",
          { class: "strip" },
          ofPrice(prices.data[0]),
          ofTotals(totals.data, "1"),
          ofTotals(totals.data, "24"),
          ofInterest(interest.data[0], changed.data[0]),
          ofFunding(funding.data[0]),
        ),
      ),
  };
}

const item = (name, ...shown) => h("div", {}, h("dt", {}, name), h("dd", {}, shown));

function ofPrice(row) {
  if (!row) return item("Price", h("span", { class: "soft" }, "no candles in 24 h"));
  const why = row.most_of_day ? "" : `; only ${row.minutes} minutes of the day have a candle`;
  return item(
    "Price",
    h(
      "b",
      {},
      fig(
        price(row.close),
        `${row.venue} ${row.symbol}, last trade; high ${price(row.high)}, low ${price(row.low)} of 24 h`,
      ),
    ),
    " ",
    h(
      "span",
      { class: row.change_share < 0 ? "down" : "up" },
      fig(change(row.change_share), `Change in 24 hours${why}`),
    ),
  );
}

function ofTotals(rows, hours) {
  const row = rows.find((each) => String(each.hours) === hours);
  if (!row) return item(`Liquidated, ${hours} h`, h("b", {}, "$0"));
  return item(
    `Liquidated, ${hours} h`,
    h(
      "b",
      {},
      row.lower_bound === false ? "" : "≥ ",
      fig(usd(row.usd), `${whole(row.usd)}; heard ${share(row.coverage_share)} of the time`),
    ),
    " ",
    h("span", { class: "long" }, fig(`L ${usd(row.long_usd)}`, `Longs: ${whole(row.long_usd)}`)),
    " ",
    h("span", { class: "short" }, fig(`S ${usd(row.short_usd)}`, `Shorts: ${whole(row.short_usd)}`)),
    split(row),
  );
}

function ofInterest(row, changed) {
  if (!row) return item("Open interest", h("span", { class: "soft" }, "not known"));
  return item(
    "Open interest",
    h(
      "b",
      {},
      fig(
        usd(row.oi_usd),
        `${whole(row.oi_usd)} in ${row.contracts} contracts of ${row.venues}; the oldest value is ${row.oldest_age_s} s old; sides: ${row.sides}`,
      ),
    ),
    " ",
    changed &&
      h(
        "span",
        { class: changed.change_base_share < 0 ? "down" : "up" },
        fig(change(changed.change_base_share, 1), "Change in 24 hours, in coins, so that the price has no part in it"),
      ),
  );
}

function ofFunding(row) {
  if (!row) return item("Funding, 8 h", h("span", { class: "soft" }, "not known"));
  return item(
    "Funding, 8 h",
    h(
      "b",
      { class: row.rate_8h < 0 ? "down" : "up" },
      fig(
        rate(row.rate_8h),
        `Weighted by open interest over ${row.contracts} contracts; ${change(row.rate_year, 1)} a year; ${row.rate_8h < 0 ? "shorts pay longs" : "longs pay shorts"}`,
      ),
    ),
  );
}
