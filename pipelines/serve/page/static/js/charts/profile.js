// The newest map of estimated levels on the price axis: bars from the right edge, by leverage, the stronger the nearer to 100 times.

import { colour } from "../lib/dom.js";
import { parts } from "./heat.js";

const WIDEST = 0.17;

/** A series primitive. Bars are sums over a row of prices; each leverage is a part of its bar. */
export class Profile {
  #bins = [];
  #most = 0;
  #param = null;

  attached(param) {
    this.#param = param;
  }

  detached() {
    this.#param = null;
  }

  /** Show the rows of liquidation_map; an empty list: none. */
  show(rows) {
    const bins = new Map();
    for (const row of rows) {
      const key = `${row.position_side} ${row.bin}`;
      const bin = bins.get(key) ?? {
        side: row.position_side,
        low: row.price_low,
        high: row.price_high,
        usd: 0,
        parts: [],
      };
      bin.usd += row.usd_estimated;
      bin.parts.push([row.leverage, row.usd_estimated]);
      bins.set(key, bin);
    }
    this.#bins = [...bins.values()];
    for (const bin of this.#bins) bin.parts.sort((one, other) => (other[0] ?? 0) - (one[0] ?? 0));
    this.#most = Math.max(0, ...this.#bins.map((bin) => bin.usd));
    this.#param?.requestUpdate();
  }

  /** The bar at a price: {side, usd, parts}, or null. */
  at(price) {
    return this.#bins.find((bin) => bin.low <= price && price < bin.high) ?? null;
  }

  paneViews() {
    return [{ zOrder: () => "normal", renderer: () => ({ draw: (target) => this.#draw(target) }) }];
  }

  #draw(target) {
    if (!this.#most || !this.#param) return;
    const { series } = this.#param;
    const colours = Object.fromEntries(["long", "short"].map((side) => [side, parts(colour(side)).join(",")]));
    target.useBitmapCoordinateSpace(({ context, bitmapSize, verticalPixelRatio: down }) => {
      for (const bin of this.#bins) {
        const [top, bottom] = [series.priceToCoordinate(bin.high), series.priceToCoordinate(bin.low)];
        if (top === null || bottom === null || bottom < 0 || top * down > bitmapSize.height) continue;
        let right = bitmapSize.width;
        bin.parts.forEach(([, usd], place) => {
          const width = (usd / this.#most) * WIDEST * bitmapSize.width;
          context.fillStyle = `rgba(${colours[bin.side]},${Math.max(0.35, 0.95 - 0.18 * place)})`;
          context.fillRect(right - width, top * down, width, Math.max(1, (bottom - top) * down - 1));
          right -= width;
        });
      }
    });
  }
}
