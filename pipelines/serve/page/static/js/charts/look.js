// The look of the charts, from the colours of the page.

import { colour } from "../lib/dom.js";
import { usd } from "../lib/format.js";

/** Options of a chart in the theme that is in use now. */
export function chartLook() {
  return {
    layout: {
      background: { color: colour("panel") },
      textColor: colour("soft"),
      attributionLogo: false,
      fontSize: 11,
      fontFamily: "system-ui, 'Segoe UI', Roboto, sans-serif",
      panes: { separatorColor: colour("line"), separatorHoverColor: colour("raised"), enableResize: true },
    },
    grid: { vertLines: { visible: false }, horzLines: { color: colour("line"), style: 4 } },
    rightPriceScale: { borderColor: colour("line"), scaleMargins: { top: 0.2, bottom: 0.2 } },
    timeScale: { borderColor: colour("line"), timeVisible: true, secondsVisible: false, minBarSpacing: 0.3 },
    crosshair: {
      mode: 0,
      vertLine: { color: colour("soft"), labelBackgroundColor: colour("soft") },
      horzLine: { color: colour("soft"), labelBackgroundColor: colour("soft") },
    },
    localization: { locale: "en-GB", timeFormatter: (time) => new Date(time * 1000).toUTCString().slice(5, 22) },
  };
}

/** Options of the candles: hollow neutrals would hide in the map, so they have the sides' colours. */
export function candleLook() {
  const [ink, soft] = [colour("ink"), colour("soft")];
  return {
    priceLineColor: ink,
    upColor: ink,
    wickUpColor: ink,
    borderUpColor: ink,
    downColor: colour("panel"),
    wickDownColor: soft,
    borderDownColor: soft,
  };
}

export const MONEY = { type: "custom", formatter: (value) => usd(Math.abs(value)), minMove: 1 };
export const PERCENT = { type: "custom", formatter: (value) => `${(value * 100).toFixed(4)} %`, minMove: 0.000001 };
export const RATIO = { type: "price", precision: 2, minMove: 0.01 };
export const LINES = ["line-1", "line-2", "line-3", "line-4", "line-5", "line-6"];
