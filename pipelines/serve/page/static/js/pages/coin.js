// A coin: its price, what was liquidated, where the next liquidations are estimated, and how good such estimates have been.

import { h } from "../lib/dom.js";
import { panel } from "../lib/panel.js";
import { coin, link, set, whenChanged } from "../lib/state.js";
import { ask } from "../lib/ask.js";
import { chartPanel } from "./coin/chart.js";
import { coinCascades, fundings } from "./coin/lists.js";
import { clusters, pain, score } from "./coin/parts.js";
import { strip } from "./coin/strip.js";

/** Open the page; without a coin in the path, that of the coin with the most liquidations. */
export async function open(main) {
  if (!coin()) {
    const found = await ask("/page/coins", {}, { timeless: true }).catch(() => ({ coins: [] }));
    if (!found.coins.length) {
      main.append(
        h(
          "p",
          { class: "empty" },
          "No contract is known yet: the venues' lists were not read. ",
          h("a", { href: link("/quality") }, "Data quality"),
        ),
      );
      return;
    }
    set({}, { path: `/coin/${encodeURIComponent(found.coins[0])}` });
  }
  let shown = "";
  function draw() {
    if (coin() === shown) return;
    shown = coin();
    document.title = `${shown} · Liquidations`;
    main.querySelector("h1").textContent = shown;
    main.querySelector(".grid")?.remove();
    const chart = chartPanel(shown);
    const later = (part) => panel({ ...part(shown), after: chart.drawn }).element;
    main.append(
      h(
        "div",
        { class: "grid" },
        later(strip),
        chart.element,
        [score, pain, clusters, fundings, coinCascades].map(later),
      ),
    );
  }
  draw();
  whenChanged(draw);
}
