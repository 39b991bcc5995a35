// The live feed: liquidations as they are stored, above a threshold; what was before is asked for once.

import { ask } from "../../lib/ask.js";
import { fill, h } from "../../lib/dom.js";
import { clock, price, usd, whole } from "../../lib/format.js";
import { at, get, link, set, whenChanged } from "../../lib/state.js";
import { fig } from "../../lib/told.js";

const MOST = 60;
const LEAST = [
  ["10000", "$10K"],
  ["50000", "$50K"],
  ["100000", "$100K"],
  ["500000", "$500K"],
  ["1000000", "$1M"],
];

/** Make the panel of the live feed. */
export function feed() {
  const list = h("ul", { class: "feed", tabindex: "0", "aria-label": "Liquidations, the latest first" });
  const told = h("span", { class: "told" }, "…");
  const select = h(
    "select",
    { "aria-label": "Least amount", on: { change: () => (set({ least: select.value }), start()) } },
    LEAST.map(([value, text]) => h("option", { value, selected: value === get("least", "50000") }, `≥ ${text}`)),
  );
  const element = h(
    "section",
    { class: "panel third", "aria-label": "Live liquidations", data: { part: "feed" } },
    h("header", {}, h("h2", {}, "Live"), h("div", { class: "right" }, select)),
    h("div", { class: "body" }, list),
    h(
      "footer",
      {},
      told,
      h(
        "span",
        { class: "links" },
        h("a", { href: link("/table/liquidations/filled_in", { order: "-ts_event" }) }, "table"),
        h(
          "a",
          { href: link("/sql", { query: "FROM liquidations_filled_in ORDER BY ts_event DESC LIMIT 100" }) },
          "SQL",
        ),
      ),
    ),
  );
  let source = null;

  async function start() {
    source?.close();
    const least = get("least", "50000");
    try {
      const found = await ask("/v1/liquidations/feed_for", {
        min_usd: least,
        times_normal: 1e9,
        order: "-ts_event",
        limit: MOST,
      });
      fill(
        list,
        found.data.map((row) => line({ ...row, notional_usd: row.usd })),
      );
      if (!found.data.length)
        fill(list, h("li", { class: "empty" }, `None of ${usd(Number(least))} or more in 24 hours.`));
    } catch (error) {
      fill(list, h("li", { class: "problem" }, error.message));
    }
    if (at()) {
      told.textContent = "the past does not move";
      return;
    }
    source = new EventSource(`/v1/stream?kinds=liquidation&min_usd=${least}`);
    source.addEventListener("open", () => (told.textContent = "listening; each as it is stored"));
    source.addEventListener("error", () => (told.textContent = "the line broke; it is taken up again"));
    source.addEventListener("liquidation", (event) => add(JSON.parse(event.data)));
  }

  function add(row) {
    list.querySelector(".empty")?.remove();
    const made = line(row);
    made.classList.add("is-new");
    setTimeout(() => made.classList.remove("is-new"), 1500);
    list.prepend(made);
    while (list.children.length > MOST) list.lastChild.remove();
  }
  let looked = at();
  whenChanged(() => at() !== looked && ((looked = at()), start()));
  start();
  return element;
}

function line(row) {
  const side = row.position_side ?? "";
  const told = `${side} of ${row.base ?? row.symbol} at ${row.venue}: ${whole(row.notional_usd)} at ${price(row.price)} (${(row.price_kind ?? "").replaceAll("_", " ")}); feed: ${(row.completeness ?? "").replaceAll("_", " ")}`;
  return h(
    "li",
    {},
    h("time", { class: "soft", datetime: row.ts_event }, clock(row.ts_event)),
    h("a", { href: link(`/coin/${encodeURIComponent(row.base ?? "")}`), class: "soft" }, row.base ?? row.symbol),
    h("span", { class: "soft" }, row.venue),
    h(
      "span",
      { class: side },
      `${side === "long" ? "Long" : side === "short" ? "Short" : "?"} `,
      fig(usd(row.notional_usd), told),
    ),
  );
}
