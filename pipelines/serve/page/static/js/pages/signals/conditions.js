// The conditions of a signal, as the warehouse writes them, each with whether it is met.

import { h } from "../../lib/dom.js";

const named = (text) => text.replaceAll("_", " ");

/** "accounts_share 0.51 >= 0.65: no" → name, what it is, what it must be, whether it is. */
export function conditions(text) {
  return (text ?? "")
    .split("; ")
    .filter(Boolean)
    .map((each) => {
      const found = /^(\S+) (.+?) (>=|<=|>|<|=) (\S+?)(?:: (yes|no))?$/.exec(each);
      const isMet = found?.[5] === "yes";
      const kind = found?.[2] === "not known" ? "soft" : isMet ? "good" : "bad";
      return h(
        "span",
        { class: `condition ${kind}`, data: { tip: each } },
        found
          ? `${named(found[1])} ${tidy(found[2])} ${{ ">=": "≥", "<=": "≤" }[found[3]] ?? found[3]} ${tidy(found[4])}`
          : each,
      );
    });
}

/** A number in few digits; other words as they are. */
function tidy(text) {
  const value = Number(text);
  return Number.isNaN(value) ? text : value.toLocaleString("en-US", { maximumFractionDigits: 4 });
}
