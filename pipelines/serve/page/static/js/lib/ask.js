// Questions to the service, and what every answer says of the service itself.

import { at } from "./state.js";

const SHARED_MS = 800;

/** Events `up` (detail: meta of an answer, and our clock when it came) and `down` (detail: a sentence). */
export const health = new EventTarget();

/** What went wrong, as the service says it (RFC 9457). */
export class Problem extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

/**
 * Ask for JSON. Adds the moment that is looked at. For `lasting` ms the same answer is given to who asks the same. Throws Problem.
 * @param {string} path
 * @param {Object<string, string|number>} [given]
 * @returns {Promise<{meta: Object, data: any}>}
 */
export async function ask(path, given = {}, { timeless = false, lasting = SHARED_MS, ...more } = {}) {
  const url = address(path, given, timeless);
  const found = await (more.method ? read(url, more) : shared(url, read, lasting));
  if (found.meta?.data_to !== undefined)
    health.dispatchEvent(new CustomEvent("up", { detail: { meta: found.meta, heard: Date.now() } }));
  return found;
}

const asked = new Map();

/** Of several parts that ask the same at once, one asks. */
function shared(url, reading, lasting = SHARED_MS) {
  if (!asked.has(url)) {
    const forget = (ms) => setTimeout(() => asked.delete(url), ms);
    const answer = reading(url);
    asked.set(url, answer);
    answer.then(
      () => forget(lasting),
      () => forget(SHARED_MS),
    );
  }
  return asked.get(url);
}

const read = async (url, more) => (await request(url, more)).json();
const readBytes = async (url) => (await request(url)).arrayBuffer();

/** Ask for bytes. Throws Problem. */
export function askBytes(path, given = {}) {
  return shared(address(path, given, false), readBytes);
}

/** The URL of a question. */
export function address(path, given = {}, timeless = false) {
  const query = new URLSearchParams(Object.entries(given).filter(([, value]) => value !== "" && value !== null));
  if (at() && !timeless) query.set("as_of", at());
  const text = query.toString();
  return text ? `${path}?${text}` : path;
}

async function request(url, more = {}) {
  let answer;
  try {
    answer = await fetch(url, { headers: { Accept: "application/json" }, ...more });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    health.dispatchEvent(new CustomEvent("down", { detail: "the service does not answer" }));
    throw new Problem(0, "The service does not answer. It is asked again by itself.");
  }
  if (answer.ok) return answer;
  if (answer.status === 401) {
    location.assign(`/enter?${new URLSearchParams({ next: location.pathname + location.search })}`);
  }
  const said = await answer.json().catch(() => ({}));
  if (answer.status === 503)
    health.dispatchEvent(new CustomEvent("down", { detail: said.detail ?? "the warehouse is away" }));
  throw new Problem(answer.status, said.detail ?? answer.statusText);
}
