// The chart of a coin with its controls: range, venue, what is drawn over the candles, which panes are below.

import { CoinChart } from "../../charts/coin.js";
import { readMap } from "../../charts/heat.js";
import { PANES } from "../../charts/panes.js";
import { SPANS, Times, seconds } from "../../charts/times.js";
import { Problem, address, ask, askBytes } from "../../lib/ask.js";
import { fill, h, tabs } from "../../lib/dom.js";
import { at, get, link, set, whenChanged } from "../../lib/state.js";
import { brief, words } from "../../lib/told.js";
import { legend, readout } from "./reading.js";

const EVERY_MS = 15_000;
/** Within a bar only the candles are asked for again, and all that is drawn every so many times. */
const WHOLE_EVERY = 12;
const RANGES = Object.keys(SPANS).map((name) => [name, name]);
const LAYERS = [
  ["map", "Heatmap"],
  ["now", "Levels now"],
  ["large", "Largest"],
  ["pain", "Max pain"],
];
const SAME_IN_EVERY_RANGE = { lasting: EVERY_MS - 1000 };
const LAYERS_SHOWN = "map,now,large,pain";
const panesShown = () => (isNarrow() ? "liquidated" : "liquidated,interest,funding");
const isNarrow = () => matchMedia("(max-width: 700px)").matches;
const listed = (name, without) =>
  get(name, without)
    .split(",")
    .filter((each) => each && each !== "none");

/** Make the panel with the chart; `drawn` is kept once there are candles, or a reason why not. */
export function chartPanel(base) {
  const box = h("div", {
    class: "chart",
    tabindex: "0",
    role: "img",
    "aria-label": `Price of ${base} with estimated and realised liquidations`,
  });
  const [read, shown, told, venues] = [
    h("div", { class: "readout", "aria-hidden": "true" }),
    h("div", { class: "legend" }),
    h("span", { class: "told" }),
    h("span"),
  ];
  const element = h(
    "section",
    { class: "panel chart-panel", "aria-label": "Chart", data: { part: "chart" } },
    h(
      "header",
      {},
      tabs("Range", RANGES, get("range", "1d"), (range) => change({ range }), { near: early }),
      venues,
      h(
        "div",
        { class: "right" },
        chips("over", LAYERS, LAYERS_SHOWN),
        chips(
          "panes",
          PANES.map((each) => [each.name, each.chip]),
          panesShown(),
        ),
      ),
    ),
    h("div", { class: "body" }, h("div", { class: "chart-box" }, box, read), shown),
    h(
      "footer",
      {},
      told,
      h(
        "span",
        { class: "links" },
        h("a", { href: link("/table/liquidations/heatmap", { base, order: "-ts" }) }, "table"),
        h(
          "a",
          {
            href: address("/v1/liquidations/heatmap", { base, order: "-ts", format: "csv" }),
            download: `heatmap-${base}.csv`,
          },
          "CSV",
        ),
        h(
          "a",
          {
            href: link("/sql", {
              query: `FROM liquidation_heatmap WHERE base = '${base}' AND ts > as_of() - INTERVAL 1 DAY ORDER BY ts DESC`,
            }),
          },
          "SQL",
        ),
      ),
    ),
  );
  let chart = null;
  let turn = 0;
  let ticks = 0;
  let isBusy = false;
  let begun = () => {};
  const drawn = new Promise((resolve) => (begun = resolve));

  function change(values) {
    set(values);
    look();
  }

  function chips(name, options, without) {
    const chosen = new Set(listed(name, without));
    return h(
      "div",
      { class: "tabs", role: "group", "aria-label": name === "over" ? "Over the candles" : "Panes" },
      options.map(([value, text]) => {
        const button = h(
          "button",
          {
            type: "button",
            "aria-pressed": String(chosen.has(value)),
            on: {
              click: () => {
                if (chosen.has(value)) chosen.delete(value);
                else chosen.add(value);
                button.setAttribute("aria-pressed", String(chosen.has(value)));
                change({ [name]: [...chosen].join(",") || "none" });
              },
            },
          },
          text,
        );
        return button;
      }),
    );
  }

  /** Ask for a range before it is shown: what comes is shared with who asks next, and kept by the service. */
  function early(range) {
    if (!chart || range === chart.times?.range) return;
    const over = new Set(listed("over", LAYERS_SHOWN));
    const names = listed("panes", panesShown());
    const panes = PANES.filter((each) => names.includes(each.name) && !each.isOfContract);
    const asking = [ask("/page/candles", { coin: base, range, venue: get("venue") })];
    if (over.has("map") || over.has("now")) asking.push(mapOf(range));
    if (over.has("large")) asking.push(ask("/page/large", { coin: base, range }));
    asking.push(...panes.map((each) => each.load({ coin: base, range })));
    for (const each of asking) each.catch(nothing);
  }

  const mapOf = (range) => askBytes(`/page/map/${encodeURIComponent(base)}`, { range });

  async function look({ isQuiet = false } = {}) {
    if (isQuiet && isBusy) return;
    const mine = ++turn;
    isBusy = true;
    const range = get("range", "1d");
    if (!isQuiet) {
      element.setAttribute("aria-busy", "true");
      early(range);
    }
    try {
      const prices = await ask("/page/candles", { coin: base, range, venue: get("venue") });
      if (mine !== turn || !element.isConnected) return;
      chart ??= new CoinChart(box, (what) => readout(read, what));
      const times = new Times(range, seconds(prices.meta.as_of));
      const isSame = chart.times?.since === times.since && chart.times?.bar === times.bar;
      chart.showCandles(prices.data, times, { isKept: isQuiet });
      say(prices);
      performance.mark("candles-drawn");
      begun();
      if (isQuiet && isSame && ++ticks % WHOLE_EVERY) return;
      await Promise.all([
        layers(mine, range),
        panes(mine, { coin: base, range, contract: prices.data.contract, times }),
      ]);
    } catch (error) {
      begun();
      if (mine !== turn) return;
      if (!(error instanceof Problem)) console.error(error);
      if (error.status || !chart) fill(shown, h("p", { class: "problem", role: "alert" }, error.message));
    } finally {
      if (mine === turn) {
        isBusy = false;
        element.removeAttribute("aria-busy");
      }
    }
  }

  async function layers(mine, range) {
    const over = new Set(listed("over", LAYERS_SHOWN));
    const [map, score, pain, large] = await Promise.all([
      over.has("map") || over.has("now")
        ? mapOf(range).then(readMap).catch(nothing)
        : null,
      ask("/v1/levels/score", { base }, SAME_IN_EVERY_RANGE).catch(nothing),
      over.has("pain")
        ? ask("/v1/liquidations/max_pain", { base, order: "range_pct" }, SAME_IN_EVERY_RANGE).catch(nothing)
        : null,
      over.has("large") ? ask("/page/large", { coin: base, range }).catch(nothing) : null,
    ]);
    if (mine !== turn) return;
    chart.showMap(over.has("map") ? map : null);
    chart.profile.show(over.has("now") ? (map?.now ?? []) : []);
    chart.showPain(pain?.data.find((row) => row.range_pct === 10));
    chart.showLarge(large?.data ?? []);
    fill(shown, legend(map, score?.data[0]?.verdict ?? "never scored"));
    performance.mark("layers-drawn");
  }

  async function panes(mine, look) {
    const names = listed("panes", panesShown());
    const wanted = PANES.filter((each) => names.includes(each.name));
    const found = await Promise.all(wanted.map((each) => each.load(look).catch(nothing)));
    if (mine !== turn) return;
    chart.clearPanes();
    box.style.setProperty("--panes", String(wanted.length));
    wanted.forEach((pane, number) => found[number] && chart.showPane(pane, number + 1, found[number]));
  }

  function say({ meta, data }) {
    const kinds = data.price_kinds.includes("trade")
      ? data.price_kinds.includes("mark")
        ? "trades, the newest bars from marks"
        : "trades"
      : "mark prices, as there are no candles";
    told.textContent = `${data.contract.venue} ${data.contract.symbol}, ${kinds} · ${brief({ ...meta, venues: [] })}`;
    told.dataset.tip = words({ ...meta, venues: [data.contract.venue] });
    const select = h(
      "select",
      { "aria-label": "Venue of the candles", on: { change: () => change({ venue: select.value }) } },
      data.venues.map((name) => h("option", { value: name, selected: name === data.contract.venue }, name)),
    );
    fill(venues, select);
  }

  const timer = setInterval(() => {
    if (!element.isConnected) clearInterval(timer);
    else if (document.visibilityState === "visible" && !at() && !box.matches(":hover, :focus")) look({ isQuiet: true });
  }, EVERY_MS);
  let looked = at();
  whenChanged(() => at() !== looked && element.isConnected && ((looked = at()), look()));
  const again = () => {
    if (!chart) return;
    chart.recolour();
    ticks = -1;
    look({ isQuiet: true });
  };
  addEventListener("look", again);
  matchMedia("(prefers-color-scheme: light)").addEventListener("change", again);
  queueMicrotask(() => look());
  return { element, drawn };
}

/** A layer that cannot be had leaves the others as they are; the legend says that it is missing. */
function nothing(error) {
  if (!(error instanceof Problem)) console.error(error);
  return null;
}
