// What the cross-hair points at, in words; and the legend of the map.

import { fill, h } from "../../lib/dom.js";
import { age, change, moment, price, usd } from "../../lib/format.js";

/** Write what is pointed at into the corner of the chart. */
export function readout(element, { bar, below, cell, level }) {
  if (!bar) return fill(element);
  const isKnown = bar.close !== undefined;
  return fill(
    element,
    h(
      "p",
      {},
      h("b", {}, moment(new Date(bar.time * 1000).toISOString())),
      " ",
      isKnown
        ? h(
            "span",
            {},
            `O ${price(bar.open)} H ${price(bar.high)} L ${price(bar.low)} C ${price(bar.close)} `,
            h("span", { class: bar.close < bar.open ? "down" : "up" }, change(bar.close / bar.open - 1)),
            bar.marked ? " (mark price)" : "",
          )
        : h("span", { class: "soft" }, "no price"),
    ),
    below.length > 0 &&
      h(
        "p",
        {},
        below.map(([name, value, css]) =>
          h(
            "span",
            { class: "of", style: css.startsWith("line") ? { color: `var(--${css})` } : {} },
            h("span", { class: css.startsWith("line") ? null : css }, `${name} ${value}`),
          ),
        ),
      ),
    cell &&
      h(
        "p",
        {},
        h("span", { class: cell.side }, `estimated then: ≈ ${usd(cell.usd)} of ${cell.side}s`),
        ` from ${price(cell.low)} to ${price(cell.high)}`,
      ),
    level &&
      h(
        "p",
        {},
        h("span", { class: level.side }, `estimated now: ${usd(level.usd)} of ${level.side}s`),
        level.parts[0][0] ? ` · ${level.parts.map(([leverage, part]) => `${leverage}× ${usd(part)}`).join(" · ")}` : "",
      ),
  );
}

/** What the colours mean, how old the map is, and how good such maps were. */
export function legend(map, verdict) {
  if (!map) return h("p", { class: "note" }, "No estimated levels are drawn.");
  return [
    map.high > 0 &&
      h(
        "div",
        { class: "ramps" },
        ["short", "long"].map((side) =>
          h(
            "span",
            {},
            h("span", { class: side }, side === "short" ? "shorts at risk" : "longs at risk"),
            " ",
            usd(map.low),
            h("i", { class: `ramp of-${side}` }),
            usd(map.high),
          ),
        ),
      ),
    h(
      "p",
      { class: "note" },
      "Estimates by model ",
      h("b", {}, map.model),
      ": compare shades with each other, not with dollars. ",
      map.freshness &&
        h(
          "span",
          { class: map.freshness === "STALE" ? "down" : null },
          `Newest map ${map.freshness}, ${age(map.age_s)} old. `,
        ),
      `Score of such maps: ${verdict}.`,
    ),
  ];
}
