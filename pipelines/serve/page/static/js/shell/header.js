// The tools on the right of the header: a coin, how fresh it all is, the moment that is looked at, the look.

import { ask } from "../lib/ask.js";
import { h } from "../lib/dom.js";
import { at, coin, link, set, whenChanged } from "../lib/state.js";
import { freshness } from "./freshness.js";

/** Fill the header's tools, and let its links keep the moment that is looked at. */
export function fillHeader(tools) {
  tools.append(chooser(), freshness(), menu());
  document.querySelector(".top [aria-current]")?.scrollIntoView({ inline: "center", block: "nearest" });
  keepMoment();
  whenChanged(keepMoment);
}

function chooser() {
  const list = h("datalist", { id: "coins" });
  const input = h("input", {
    class: "chooser",
    type: "search",
    list: "coins",
    placeholder: "Coin  /",
    "aria-label": "Coin",
    autocomplete: "off",
    spellcheck: "false",
    value: coin(),
    on: { change: () => go(input.value), keydown: (event) => event.key === "Enter" && go(input.value) },
  });
  input.addEventListener("focus", () => fillOnce(list), { once: true });
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && !/^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName)) {
      event.preventDefault();
      input.focus();
      input.select();
    }
  });
  whenChanged(() => (input.value = coin() || input.value));
  return h("span", {}, input, list);
}

async function fillOnce(list) {
  const found = await ask("/page/coins", {}, { timeless: true }).catch(() => ({ coins: [] }));
  list.append(...found.coins.map((base) => h("option", { value: base })));
}

function go(text) {
  const named = text.trim().toUpperCase();
  if (!named || named === coin()) return;
  if (coin()) set({ venue: null }, { push: true, path: `/coin/${encodeURIComponent(named)}` });
  else location.assign(link(`/coin/${encodeURIComponent(named)}`));
}

function menu() {
  const moment = h("input", { type: "datetime-local", step: "1", value: at().replace("Z", "") });
  const show = h(
    "button",
    {
      type: "button",
      class: "main",
      on: { click: () => set({ at: moment.value ? `${moment.value}Z` : null }, { push: true }) },
    },
    "Show",
  );
  const now = h("button", { type: "button", on: { click: () => set({ at: null }, { push: true }) } }, "Back to now");
  const element = h(
    "details",
    { class: "menu" },
    h("summary", { "aria-label": "Moment and look" }, "⚙"),
    h(
      "div",
      {},
      h("label", {}, "Look at a past moment (UTC)", moment),
      h("div", { class: "links" }, show, now),
      choice("Theme", "theme", [
        ["", "As the system"],
        ["dark", "Dark"],
        ["light", "Light"],
      ]),
      choice("Colours of longs and shorts", "palette", [
        ["", "Green and red"],
        ["blind", "Blue and orange (colour-blind)"],
      ]),
    ),
  );
  element.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      element.open = false;
      element.querySelector("summary").focus();
    }
  });
  document.addEventListener("click", (event) => !element.contains(event.target) && (element.open = false));
  return element;
}

function choice(label, name, options) {
  const root = document.documentElement;
  const select = h(
    "select",
    {
      on: {
        change: () => {
          if (select.value) root.dataset[name] = select.value;
          else delete root.dataset[name];
          try {
            localStorage.setItem(`liq-${name}`, select.value);
          } catch {
            // not kept: storage is switched off
          }
          dispatchEvent(new Event("look"));
        },
      },
    },
    options.map(([value, text]) => h("option", { value, selected: (root.dataset[name] ?? "") === value }, text)),
  );
  return h("label", {}, label, select);
}

function keepMoment() {
  for (const each of document.querySelectorAll(".top nav a, .brand")) {
    each.href = link(new URL(each.href).pathname);
  }
}
