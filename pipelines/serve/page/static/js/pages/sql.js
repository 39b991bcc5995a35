// SQL: any question, the catalogue beside it, results as a table and a picture; the query is in the URL.

import { Problem, address, ask } from "../lib/ask.js";
import { fill, h } from "../lib/dom.js";
import { count } from "../lib/format.js";
import { at, get, set } from "../lib/state.js";
import { catalogue } from "./sql/catalogue.js";
import { picture } from "./sql/picture.js";
import { results } from "./sql/results.js";

const FIRST =
  "SELECT base, usd, long_usd, short_usd, completeness, lower_bound\nFROM liquidation_totals_by_coin\nWHERE hours = 24\nORDER BY usd DESC";
const ROWS = 2000;

/** Open the page. */
export function open(main) {
  const text = h("textarea", { class: "code", "aria-label": "Query", spellcheck: "false", rows: "8" });
  text.value = get("query", FIRST);
  const [out, told] = [
    h("div", { class: "body", role: "region", "aria-live": "polite", "aria-label": "Result" }),
    h("span", { class: "told" }),
  ];
  const links = h("span", { class: "links" });
  const run = h("button", { type: "button", class: "main", on: { click: () => go() } }, "Run");
  let asked = null;

  async function go() {
    asked?.abort();
    asked = new AbortController();
    set({ query: text.value === FIRST ? null : text.value });
    fill(out, h("div", { class: "waiting" }, h("i"), h("i"), h("i")));
    const began = performance.now();
    try {
      const found = await ask(
        "/v1/sql",
        {},
        {
          timeless: true,
          method: "POST",
          signal: asked.signal,
          headers: { "Content-Type": "application/json", Accept: "application/json" },
          body: JSON.stringify({ query: text.value, limit: ROWS, ...(at() ? { as_of: at() } : {}) }),
        },
      );
      fill(out, picture(found.data), results(found.data));
      told.textContent = `${count(found.data.length)} rows${found.meta.more ? `, the first of more: CSV has up to the service's limit` : ""} · ${Math.round(performance.now() - began)} ms · as of ${found.meta.as_of.slice(11, 19)} UTC`;
      fill(
        links,
        ["csv", "parquet", "json"].map((format) =>
          h(
            "a",
            { href: address("/v1/sql", { query: text.value, format }), download: `query.${format}` },
            format.toUpperCase(),
          ),
        ),
      );
    } catch (error) {
      if (error.name === "AbortError") return;
      if (!(error instanceof Problem)) console.error(error);
      fill(out, h("pre", { class: "problem", role: "alert" }, error.message));
      told.textContent = "";
    }
  }
  text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      go();
    }
  });
  const put = (query) => {
    text.value = query;
    text.focus();
    go();
  };
  main.append(
    h(
      "div",
      { class: "grid console" },
      h(
        "section",
        { class: "panel wide", "aria-label": "Console" },
        h(
          "header",
          {},
          h("h2", {}, "SQL"),
          h("span", { class: "note" }, "DuckDB's SQL, in a process that can only read. Ctrl+Enter runs it."),
          h("div", { class: "right" }, run),
        ),
        text,
        out,
        h("footer", {}, told, links),
      ),
      catalogue(put),
    ),
  );
  go();
}
