// Everything that can be asked for, with a search; a click asks it.

import { ask } from "../../lib/ask.js";
import { fill, h } from "../../lib/dom.js";

/** Make the panel. `put(query)` is called with a query to run. */
export function catalogue(put) {
  const list = h("div", { class: "catalogue", tabindex: "0", role: "region", "aria-label": "Catalogue" });
  const search = h("input", {
    type: "search",
    placeholder: "Search views and columns",
    "aria-label": "Search the catalogue",
    on: { input: () => draw() },
  });
  let found = [];
  const draw = () =>
    fill(
      list,
      groups(
        found.filter((each) => matches(each, search.value)),
        put,
      ),
    );
  ask("/v1/catalogue", {}, { timeless: true }).then(
    (answer) => {
      found = answer.resources;
      draw();
    },
    (error) => fill(list, h("p", { class: "problem" }, error.message)),
  );
  return h(
    "section",
    { class: "panel third", "aria-label": "Views, tables and macros" },
    h("header", {}, h("h2", {}, "Catalogue"), h("div", { class: "right" }, search)),
    list,
  );
}

function matches(each, text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const all = `${each.name} ${each.shows} ${Object.keys(each.columns).join(" ")}`.toLowerCase();
  return words.every((word) => all.includes(word));
}

function groups(found, put) {
  const subjects = [...new Set(found.map((each) => each.subject))];
  return subjects.map((subject) =>
    h(
      "div",
      {},
      h("h3", {}, subject),
      h(
        "ul",
        { class: "rows" },
        found
          .filter((each) => each.subject === subject)
          .map((each) =>
            h(
              "li",
              {},
              h(
                "details",
                {},
                h(
                  "summary",
                  {},
                  h("code", {}, each.name),
                  each.kind === "macro" ? h("span", { class: "tag plain" }, "macro") : "",
                ),
                h("p", { class: "note" }, each.shows),
                h(
                  "p",
                  { class: "note columns" },
                  Object.entries(each.columns).map(([name, kind]) => h("code", { data: { tip: kind } }, name, " ")),
                ),
                h("button", { type: "button", on: { click: () => put(query(each)) } }, "Ask"),
              ),
            ),
          ),
      ),
    ),
  );
}

function query(each) {
  return each.kind === "macro"
    ? `FROM ${each.name}(${each.parameters.map((name) => `/* ${name} */`).join(", ")}) LIMIT 100`
    : `FROM ${each.name} LIMIT 100`;
}
