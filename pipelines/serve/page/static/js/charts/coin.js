// A coin's chart: candles over the map of estimated levels, the newest map on the price axis, and panes below, with one cross-hair.

import { CandlestickSeries, createChart, createSeriesMarkers } from "../vendor-charts.js";
import { colour } from "../lib/dom.js";
import { decimals } from "../lib/format.js";
import { Heat } from "./heat.js";
import { candleLook, chartLook } from "./look.js";
import { Profile } from "./profile.js";
import { seconds } from "./times.js";

const PRICE_TALL = 4;

/** The chart in a box. `read(lines)` is called with what the cross-hair points at. */
export class CoinChart {
  constructor(box, read) {
    this.heat = new Heat();
    this.profile = new Profile();
    this.read = read;
    this.series = [];
    this.lines = [];
    this.chart = createChart(box, { ...chartLook(), autoSize: true });
    this.candles = this.chart.addSeries(CandlestickSeries, { ...candleLook(), priceLineStyle: 3, priceLineWidth: 1 });
    this.candles.attachPrimitive(this.heat);
    this.candles.attachPrimitive(this.profile);
    this.markers = createSeriesMarkers(this.candles, []);
    this.chart.subscribeCrosshairMove((event) => this.#pointed(event));
    this.recolour = () => {
      this.chart.applyOptions(chartLook());
      this.candles.applyOptions(candleLook());
      this.heat.recolour();
    };
  }

  /** Show the bars of a range; `isKept`: what is zoomed in on stays. @param {{bars: Array}} found @param {import("./times.js").Times} times */
  showCandles(found, times, { isKept = false } = {}) {
    const seen = isKept && this.times ? this.chart.timeScale().getVisibleLogicalRange() : null;
    this.times = times;
    this.bars = new Map(
      found.bars.map(([time, open, high, low, close, volume, marked]) => [
        time,
        { time, open, high, low, close, volume, marked },
      ]),
    );
    const last = found.bars.at(-1);
    const digits = last ? decimals(last[4]) : 2;
    this.candles.applyOptions({ priceFormat: { type: "price", precision: digits, minMove: 10 ** -digits } });
    this.candles.setData(times.all(this.bars));
    if (seen) this.chart.timeScale().setVisibleLogicalRange(seen);
    else this.fit();
    this.#told(last ? this.bars.get(last[0]) : null);
  }

  /** Let the whole range be seen, with room for the map at the right. */
  fit() {
    this.chart.timeScale().setVisibleLogicalRange({ from: -0.5, to: this.times.count * 1.17 });
  }

  showMap(map) {
    const step = Math.min(this.times.bar, 3600) < 3600 ? this.times.bar : 3600;
    this.heat.show(
      map,
      this.times.since,
      this.times.until,
      Math.max(step, (this.times.until - this.times.since) / 2000),
      this.times.place,
    );
  }

  /** Lines at the prices with the most estimated levels of each side. */
  showPain(row) {
    for (const line of this.lines) this.candles.removePriceLine(line);
    this.lines = ["long", "short"]
      .filter((side) => row?.[`${side}_price`])
      .map((side) =>
        this.candles.createPriceLine({
          price: row[`${side}_price`],
          color: colour(side),
          lineWidth: 1,
          lineStyle: 2,
          axisLabelVisible: true,
          title: `max pain ${side}s`,
        }),
      );
  }

  /** Mark the largest liquidations; `rows` as /page/large has them. */
  showLarge(rows) {
    const most = Math.max(...rows.map((row) => row.notional_usd), 1);
    const marks = rows
      .filter((row) => row.price)
      .map((row) => ({
        time: this.times.start(seconds(row.ts_event)),
        position: "atPriceMiddle",
        price: row.price,
        shape: "circle",
        color: colour(row.position_side === "long" ? "long" : "short"),
        size: 0.3 + 1.1 * Math.sqrt(row.notional_usd / most),
      }));
    this.markers.setMarkers(marks.sort((one, other) => one.time - other.time));
  }

  /** Take all panes below the candles away. */
  clearPanes() {
    for (const { series } of this.series) this.chart.removeSeries(series);
    this.series = [];
    while (this.chart.panes().length > 1) this.chart.removePane(this.chart.panes().length - 1);
    this.chart.panes()[0].setStretchFactor(PRICE_TALL);
  }

  /** Draw a pane; `number` from 1. */
  showPane(pane, number, found) {
    const add = (kind, options, data, say) => {
      const series = this.chart.addSeries(kind, options, number);
      series.setData(this.times.all(data));
      this.series.push({ series, say, title: pane.title, data });
      return series;
    };
    pane.draw(add, found, this.times);
    for (const { series } of this.series)
      series.priceScale().applyOptions({ scaleMargins: { top: 0.12, bottom: 0.08 } });
    this.chart.panes()[number]?.setStretchFactor(1);
  }

  #pointed({ time, point, paneIndex }) {
    if (time === undefined || !point) return this.#told(null);
    const price = paneIndex === 0 || paneIndex === undefined ? this.candles.coordinateToPrice(point.y) : null;
    return this.#told(this.bars?.get(time) ?? { time }, price);
  }

  #told(bar, price = null) {
    const below = bar
      ? this.series.flatMap(({ say, data }) =>
          data.get(bar.time)?.value === undefined ? [] : [say(data.get(bar.time).value, bar.time)],
        )
      : [];
    const cell = bar && price !== null ? this.heat.at(bar.time, price) : null;
    this.read({ bar, below, cell, level: price === null ? null : this.profile.at(price) });
  }
}
