// Position check: where a position is liquidated, what lies before that, and what more margin or a smaller size would do.

import { CoinChart } from "../charts/coin.js";
import { readMap } from "../charts/heat.js";
import { Times, seconds } from "../charts/times.js";
import { Problem, ask, askBytes } from "../lib/ask.js";
import { colour, fill, h } from "../lib/dom.js";

import { get, set, whenChanged, at } from "../lib/state.js";
import { brief, words } from "../lib/told.js";
import { answer } from "./position/answer.js";

const FIELDS = [
  ["contract", "Contract", "BTC/USDT:USDT", "text"],
  ["entry", "Entry price", "", "number"],
  ["size", "Size, coins", "1", "number"],
  ["leverage", "Leverage", "10", "number"],
  ["margin", "or margin", "", "number"],
  ["mmr", "Maintenance rate", "", "number"],
  ["add_margin", "Add margin", "", "number"],
  ["close", "Close a part", "", "number"],
  ["stop", "Your stop", "", "number"],
];

/** Open the page. */
export async function open(main) {
  const [out, told] = [h("div", { class: "body", "aria-live": "polite" }), h("span", { class: "told" })];
  const box = h("div", { class: "chart small", role: "img", "aria-label": "Price with the position's prices" });
  const fields = {};
  const venues = h("select", { name: "venue" });
  const side = h(
    "select",
    { name: "side" },
    ["long", "short"].map((value) =>
      h("option", { value, selected: get("side", "long") === value }, value === "long" ? "Long" : "Short"),
    ),
  );
  const form = h(
    "form",
    { class: "fields" },
    h("label", {}, "Side", side),
    h("label", {}, "Venue", venues),
    FIELDS.map(([name, label, without, type]) =>
      h(
        "label",
        {},
        label,
        (fields[name] = h("input", {
          name,
          type: type === "number" ? "text" : type,
          inputmode: type === "number" ? "decimal" : "text",
          autocomplete: "off",
          value: get(name, without),
        })),
      ),
    ),
    h("button", { class: "main", type: "submit" }, "Check"),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    set({
      side: side.value,
      venue: venues.value,
      ...Object.fromEntries(FIELDS.map(([name]) => [name, fields[name].value.trim()])),
    });
    check();
  });
  fields.contract.addEventListener("change", () => prepare(true));
  main.append(
    h(
      "div",
      { class: "grid" },
      h("section", { class: "panel", "aria-label": "Position" }, h("header", {}, h("h2", {}, "Position")), form),
      h(
        "section",
        { class: "panel wide start", "aria-label": "Chart" },
        h("header", {}, h("h2", {}, "On the chart")),
        h("div", { class: "body" }, box),
      ),
      h(
        "section",
        { class: "panel third", "aria-label": "Answer", data: { part: "answer" } },
        h("header", {}, h("h2", {}, "Answer")),
        out,
        h("footer", {}, told),
      ),
    ),
  );
  let chart = null;
  let lines = [];

  async function prepare(isNew) {
    const base =
      fields.contract.value
        .split(/[/\-:]/)[0]
        .replace(/USDT?$|USDC$/i, "")
        .toUpperCase() || "BTC";
    try {
      const found = await ask("/page/candles", { coin: base, range: "3d" });
      const last = found.data.bars.at(-1);
      fill(
        venues,
        found.data.venues.map((name) =>
          h("option", { value: name, selected: name === get("venue", found.data.contract.venue) }, name),
        ),
      );
      if (last && (isNew || !fields.entry.value)) fields.entry.value = String(Number(last[4].toPrecision(7)));
      chart ??= new CoinChart(box, () => {});
      chart.showCandles(found.data, new Times("3d", seconds(found.meta.as_of)));
      const map = readMap(await askBytes(`/page/map/${encodeURIComponent(base)}`, { range: "3d" }));
      chart.showMap(map);
      chart.profile.show(map.now);
    } catch (error) {
      wrong(error);
    }
  }

  async function check() {
    if (!out.children.length) fill(out, h("div", { class: "waiting" }, h("i"), h("i"), h("i")));
    try {
      const given = Object.fromEntries(FIELDS.map(([name]) => [name, fields[name].value.trim()]));
      const found = await ask("/page/position", { side: side.value, venue: venues.value, ...given });
      answer(out, found.data);
      told.textContent = brief(found.meta);
      told.dataset.tip = words(found.meta);
      draw(found.data);
    } catch (error) {
      wrong(error);
    }
  }

  function draw(data) {
    if (!chart) return;
    for (const line of lines) chart.candles.removePriceLine(line);
    const shown = [
      ["entry", data.position.entry_price, "soft", 0],
      ["liquidation", data.liquidation_price, "bad", 0],
      ["stop", data.stop?.price, "warn", 2],
    ];
    lines = shown
      .filter(([, value]) => value)
      .map(([title, value, name, lineStyle]) =>
        chart.candles.createPriceLine({
          price: value,
          color: colour(name),
          lineWidth: 2,
          lineStyle,
          axisLabelVisible: true,
          title,
        }),
      );
    const prices = shown.map(([, value]) => value).filter(Boolean);
    chart.candles.applyOptions({
      autoscaleInfoProvider: (original) => {
        const own = original();
        return (
          own && {
            ...own,
            priceRange: {
              minValue: Math.min(own.priceRange.minValue, ...prices),
              maxValue: Math.max(own.priceRange.maxValue, ...prices),
            },
          }
        );
      },
    });
  }

  function wrong(error) {
    if (!(error instanceof Problem)) console.error(error);
    fill(out, h("p", { class: "problem", role: "alert" }, error.message));
  }
  addEventListener("look", () => chart?.recolour());
  fill(out, h("div", { class: "waiting" }, h("i"), h("i"), h("i")));
  await prepare(false);
  await check();
  let looked = at();
  whenChanged(() => at() !== looked && ((looked = at()), prepare(false).then(check)));
}
