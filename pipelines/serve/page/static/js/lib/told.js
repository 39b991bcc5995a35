// How far a figure can be trusted, in words; and the box that shows them beside the figure that is pointed at.

import { h } from "./dom.js";
import { age, clock, share } from "./format.js";

export const STALE_S = 60;

/** In a few words, below a panel. */
export function brief(meta) {
  const parts = [];
  if (meta.lower_bound === true) parts.push("at least");
  if (meta.lower_bound === false) parts.push("whole");
  if (typeof meta.coverage_share === "number") parts.push(`heard ${share(meta.coverage_share)}`);
  if (meta.venues?.length) parts.push(meta.venues.length > 4 ? `${meta.venues.length} venues` : meta.venues.join(", "));
  parts.push(meta.age_s === null ? "nothing stored yet" : `${age(meta.age_s)} old`);
  return parts.join(" · ");
}

/** In sentences, for the box and for a screen reader. */
export function words(meta) {
  const lines = [
    `As of ${clock(meta.as_of)} UTC${meta.age_s === null ? "" : `; the newest data are ${age(meta.age_s)} old`}.`,
  ];
  if (meta.venues?.length) lines.push(`Venues: ${meta.venues.join(", ")}.`);
  if (meta.completeness?.length)
    lines.push(`Completeness of their feeds: ${meta.completeness.join(", ").replaceAll("_", " ")}.`);
  if (typeof meta.coverage_share === "number")
    lines.push(`The feed heard least was heard ${share(meta.coverage_share)} of the time.`);
  if (meta.lower_bound === true) lines.push("A lower bound: more may have been liquidated.");
  if (meta.lower_bound === false) lines.push("Whole: all that was liquidated there is in it.");
  return lines.join("\n");
}

/**
 * A figure that is shown short and told whole when it is pointed at.
 * @param {string} text what is shown
 * @param {string} full the whole amount with its unit
 */
export function fig(text, full, props = {}) {
  return h("span", { class: `fig ${props.class ?? ""}`.trim(), data: { full } }, text);
}

/** Show the box over whatever has `data-full` or `data-tip`, when pointed at or focused. */
export function watchFigures() {
  const box = h("div", { class: "tip", role: "tooltip", hidden: true });
  document.body.append(box);
  const show = (event) => {
    const target = event.target.closest?.("[data-full], [data-tip]");
    box.hidden = !target;
    if (!target) return;
    const told = target.dataset.full ? (target.closest("[data-told]")?.dataset.told ?? "") : "";
    box.textContent = [target.dataset.full ?? target.dataset.tip, told].filter(Boolean).join("\n");
    place(box, target.getBoundingClientRect());
  };
  document.addEventListener("pointerover", show);
  document.addEventListener("focusin", show);
  document.addEventListener("keydown", (event) => event.key === "Escape" && (box.hidden = true));
  addEventListener("scroll", () => (box.hidden = true), { passive: true, capture: true });
}

function place(box, around) {
  const { width, height } = box.getBoundingClientRect();
  const below = around.bottom + 8;
  const top = below + height > innerHeight - 8 ? Math.max(8, around.top - height - 8) : below;
  box.style.left = `${Math.min(Math.max(8, around.left), Math.max(8, innerWidth - width - 8))}px`;
  box.style.top = `${top}px`;
}
