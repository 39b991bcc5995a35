// A picture of a result, where it has a form that one can draw: a time and numbers as lines, a name and a number as bars.

import { colour, h, s } from "../../lib/dom.js";
import { meter } from "../../lib/bars.js";
import { short } from "../../lib/format.js";
import { LINES } from "../../charts/look.js";

const [WIDTH, HEIGHT] = [960, 200];
const isTime = (value) => typeof value === "string" && /^\d{4}-\d\d-\d\d([T ]|$)/.test(value);

/** @param {Array<Object>} rows */
export function picture(rows) {
  if (rows.length < 2) return null;
  const names = Object.keys(rows[0]);
  const time = names.find((name) => isTime(rows[0][name]));
  const numbers = names.filter(
    (name) =>
      rows.some((row) => typeof row[name] === "number") &&
      rows.every((row) => row[name] === null || typeof row[name] === "number"),
  );
  if (!numbers.length) return null;
  return time
    ? lines(rows, time, numbers.slice(0, 4))
    : bars(
        rows.slice(0, 12),
        names.find((name) => typeof rows[0][name] === "string"),
        numbers[0],
      );
}

function lines(rows, time, names) {
  const sorted = [...rows].sort((one, other) => (one[time] < other[time] ? -1 : 1));
  const [from, to] = [Date.parse(sorted[0][time]), Date.parse(sorted.at(-1)[time])];
  const values = sorted.flatMap((row) => names.map((name) => row[name])).filter((value) => value !== null);
  const [low, high] = [Math.min(0, ...values), Math.max(...values)];
  const point = (row, name) =>
    `${((Date.parse(row[time]) - from) / (to - from || 1)) * WIDTH},${HEIGHT - ((row[name] - low) / (high - low || 1)) * (HEIGHT - 8) - 4}`;
  return figure(
    `${names.join(", ")} over ${time}, ${short(low)} to ${short(high)}`,
    names.map((name, place) =>
      s("polyline", {
        points: sorted
          .filter((row) => row[name] !== null)
          .map((row) => point(row, name))
          .join(" "),
        fill: "none",
        stroke: colour(LINES[place]),
        "stroke-width": 2,
        "vector-effect": "non-scaling-stroke",
      }),
    ),
    names.map((name, place) => h("span", { style: { color: `var(--${LINES[place]})` } }, `${name} `)),
  );
}

function bars(rows, name, value) {
  const most = Math.max(...rows.map((row) => Math.abs(row[value] ?? 0))) || 1;
  return h(
    "figure",
    { class: "result" },
    h("figcaption", { class: "note" }, `${value}${name ? ` by ${name}` : ""}`),
    h(
      "ul",
      { class: "rows tight" },
      rows.map((row, place) =>
        h(
          "li",
          {},
          h("span", {}, name ? (row[name] ?? "–") : `row ${place + 1}`),
          meter(Math.abs(row[value] ?? 0) / most, `${short(row[value])}`),
          h("span", { class: "num" }, short(row[value])),
        ),
      ),
    ),
  );
}

function figure(words, shapes, legend) {
  return h(
    "figure",
    { class: "result" },
    h("figcaption", { class: "note" }, legend, words),
    s(
      "svg",
      { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-label": words },
      shapes,
    ),
  );
}
