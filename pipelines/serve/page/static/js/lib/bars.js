// Bars that split into longs and shorts. The part that comes from feeds which leave liquidations out is hatched.

import { h } from "./dom.js";
import { share, usd } from "./format.js";

/**
 * @param {{usd: number, long_usd: number, short_usd: number, complete_usd?: number, lower_bound?: boolean}} row
 * @param {number} most the USD of a bar that fills the width
 */
export function split(row, most = row.usd, css = "") {
  const width = (part) => `${most > 0 ? (100 * part) / most : 0}%`;
  const least = row.lower_bound !== false && row.usd > 0 ? 1 - (row.complete_usd ?? 0) / row.usd : 0;
  const label = `Longs ${usd(row.long_usd)}, shorts ${usd(row.short_usd)}${least > 0 ? `; ${share(least, 0)} of it is a lower bound` : ""}`;
  return h(
    "div",
    { class: `bar ${css}`, role: "img", "aria-label": label, data: { tip: label } },
    parts("long", row.long_usd),
    parts("short", row.short_usd),
  );

  function parts(side, amount) {
    return [
      h("i", { class: `of-${side}`, style: { width: width(amount * (1 - least)) } }),
      h("i", { class: `of-${side} at-least`, style: { width: width(amount * least) } }),
    ];
  }
}

/** A bar of one part, from 0 to 1. */
export function meter(value, label) {
  return h(
    "div",
    { class: "bar", role: "img", "aria-label": label },
    h("i", { class: "of-part", style: { width: `${100 * Math.min(1, Math.max(0, value ?? 0))}%` } }),
  );
}
