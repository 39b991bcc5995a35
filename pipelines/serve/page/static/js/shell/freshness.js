// A pill in the header: how old what is shown is, second by second.

import { health } from "../lib/ask.js";
import { h } from "../lib/dom.js";
import { age } from "../lib/format.js";
import { at, whenChanged } from "../lib/state.js";
import { STALE_S } from "../lib/told.js";

/** Make the pill; it listens to every answer. */
export function freshness() {
  const pill = h(
    "span",
    { class: "pill", tabindex: "0", role: "status", data: { tip: "Nothing was asked yet." } },
    "…",
  );
  let last = null;
  let isDown = false;
  health.addEventListener("up", (event) => {
    isDown = false;
    last = event.detail;
    draw();
  });
  health.addEventListener("down", () => {
    isDown = true;
    draw();
  });
  whenChanged(draw);
  setInterval(draw, 1000);

  function draw() {
    const [kind, text, tip] = said();
    pill.className = `pill ${kind}`;
    if (pill.textContent !== text) pill.textContent = text;
    pill.dataset.tip = tip;
  }

  function said() {
    if (isDown) return ["bad", "no answer", "The service does not answer; it is asked again by itself."];
    if (at()) return ["warn", "past", `As of ${at()}; nothing moves.`];
    if (!last) return ["", "…", "Nothing was asked yet."];
    if (last.meta.age_s === null) return ["warn", "empty", "Nothing is stored yet."];
    const seconds = last.meta.age_s + (Date.now() - last.heard) / 1000;
    const kind = seconds > STALE_S ? "warn" : "good";
    return [
      kind,
      `${kind === "good" ? "live" : "stale"} · ${age(seconds)}`,
      `The newest data that are stored are ${age(seconds)} old.`,
    ];
  }
  return pill;
}
