// The map of estimated levels behind the candles: all cells are one bitmap that is made once and drawn once a frame.

import { colour } from "../lib/dom.js";

const STEPS = 126;
const SHORTS = 128;
const ROWS = 640;
const LONGEST_S = 36 * 3600;

/**
 * @typedef {Object} HeatMap
 * @property {number[]} ts starts of the columns, seconds
 * @property {number[]} edges prices between the rows, from the lowest up
 * @property {number} low USD of the faintest shade
 * @property {number} high USD of the strongest shade
 * @property {Uint8Array} cells by column, from the lowest row up
 */

/** Read what /page/map sends. @param {ArrayBuffer} bytes @returns {HeatMap} */
export function readMap(bytes) {
  const length = new DataView(bytes).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(bytes, 4, length)));
  return { ...head, cells: new Uint8Array(bytes, 4 + length) };
}

/** A series primitive of lightweight-charts. `place(seconds)` gives the logical place of a time. */
export class Heat {
  #map = null;
  #bitmap = null;
  #span = null;
  #param = null;
  #place = (seconds) => seconds;

  attached(param) {
    this.#param = param;
  }

  detached() {
    this.#param = null;
  }

  /** Show a map from `since` to `until` (seconds); null: none. */
  show(map, since, until, stepS, place) {
    this.#map = map?.edges.length ? map : null;
    this.#place = place;
    this.#span = { since, until, stepS };
    this.#bitmap = this.#map && paint(this.#map, this.#span);
    this.#param?.requestUpdate();
  }

  /** Make the bitmap again in the colours that are in use now. */
  recolour() {
    if (this.#map) this.#bitmap = paint(this.#map, this.#span);
    this.#param?.requestUpdate();
  }

  /** What is estimated at a time and a price: {usd, side, low, high}, or null. */
  at(seconds, price) {
    if (!this.#map) return null;
    const { edges, cells } = this.#map;
    const [column, row] = [columnOf(this.#map, seconds), above(edges, price) - 1];
    const shade = column < 0 || row < 0 || row >= edges.length - 1 ? 0 : cells[column * (edges.length - 1) + row];
    if (!shade) return null;
    const isShort = shade > SHORTS;
    return {
      usd: amount(this.#map, isShort ? shade - SHORTS : shade),
      side: isShort ? "short" : "long",
      low: edges[row],
      high: edges[row + 1],
    };
  }

  paneViews() {
    return [{ zOrder: () => "bottom", renderer: () => ({ draw: (target) => this.#draw(target) }) }];
  }

  #draw(target) {
    if (!this.#bitmap || !this.#param) return;
    const { chart, series } = this.#param;
    const { edges } = this.#map;
    const scale = chart.timeScale();
    const [first, second] = [scale.logicalToCoordinate(0), scale.logicalToCoordinate(1)];
    const top = series.priceToCoordinate(edges.at(-1));
    const bottom = series.priceToCoordinate(edges[0]);
    if ([first, second, top, bottom].includes(null)) return;
    const across = (seconds, aside) => first + (this.#place(seconds) + aside) * (second - first);
    const [left, right] = [across(this.#span.since, -0.5), across(this.#span.until, 0.5)];
    target.useBitmapCoordinateSpace(({ context, bitmapSize, horizontalPixelRatio: wide, verticalPixelRatio: tall }) => {
      context.imageSmoothingEnabled = false;
      seen(context, this.#bitmap, [left * wide, top * tall, (right - left) * wide, (bottom - top) * tall], bitmapSize);
    });
  }
}

/** Draw the part of a picture that is inside the canvas. */
function seen(context, picture, [x, y, width, height], { width: most, height: tallest }) {
  const [x0, x1] = [Math.max(0, x), Math.min(most, x + width)];
  const [y0, y1] = [Math.max(0, y), Math.min(tallest, y + height)];
  if (x1 <= x0 || y1 <= y0) return;
  const [across, down] = [picture.width / width, picture.height / height];
  context.drawImage(
    picture,
    (x0 - x) * across,
    (y0 - y) * down,
    (x1 - x0) * across,
    (y1 - y0) * down,
    x0,
    y0,
    x1 - x0,
    y1 - y0,
  );
}

/** Paint the cells: columns are steps of time, rows equal steps of price, as the price axis has them. */
function paint(map, { since, until, stepS }) {
  const { edges, cells } = map;
  const width = Math.max(1, Math.round((until - since) / stepS) + 1);
  const picture = new OffscreenCanvas(width, ROWS);
  const context = picture.getContext("2d");
  const image = context.createImageData(width, ROWS);
  const pixels = new Uint32Array(image.data.buffer);
  const shades = palette();
  const [lowest, highest, rows] = [edges[0], edges.at(-1), edges.length - 1];
  const rowOf = Array.from(
    { length: ROWS },
    (_, y) => above(edges, highest - ((y + 0.5) / ROWS) * (highest - lowest)) - 1,
  );
  for (let x = 0; x < width; x += 1) {
    const column = columnOf(map, since + x * stepS);
    if (column < 0) continue;
    for (let y = 0; y < ROWS; y += 1) {
      const row = rowOf[y];
      if (row >= 0 && row < rows) pixels[y * width + x] = shades[cells[column * rows + row]];
    }
  }
  context.putImageData(image, 0, 0);
  return picture;
}

/** The column that is shown at a time: the last one before it, if that is not long ago; -1: none. */
function columnOf(map, seconds) {
  const column = above(map.ts, seconds) - 1;
  return column >= 0 && seconds - map.ts[column] <= LONGEST_S ? column : -1;
}

/** How many of the sorted values are at most `value`. */
function above(values, value) {
  let [low, high] = [0, values.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

const amount = (map, step) => map.low * (map.high / map.low) ** ((step - 1) / STEPS);

/** 256 colours as the canvas has them (ABGR): fainter is less. */
function palette() {
  const found = new Uint32Array(256);
  for (const [name, offset] of [
    ["long", 0],
    ["short", SHORTS],
  ]) {
    const [red, green, blue] = parts(colour(name));
    for (let step = 1; step <= STEPS + 1; step += 1) {
      const alpha = Math.round(255 * (0.03 + 0.82 * (step / (STEPS + 1)) ** 2.6));
      found[offset + step] = ((alpha << 24) | (blue << 16) | (green << 8) | red) >>> 0;
    }
  }
  return found;
}

/** #rrggbb → numbers */
export const parts = (hex) => [1, 3, 5].map((place) => parseInt(hex.slice(place, place + 2), 16));
