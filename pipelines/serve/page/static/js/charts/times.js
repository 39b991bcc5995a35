// The time axis of a coin's chart: every bar of the range has its place, also those without a price, so that gaps are seen.

export const SPANS = {
  "1h": [3600, 60],
  "4h": [14400, 60],
  "12h": [43200, 300],
  "1d": [86400, 300],
  "3d": [259200, 900],
  "7d": [604800, 1800],
  "30d": [2592000, 7200],
  "90d": [7776000, 21600],
  "1y": [31536000, 86400],
};

/** The places of a range that ends at `until` (seconds). */
export class Times {
  constructor(range, until) {
    const [length, bar] = SPANS[range];
    this.range = range;
    this.bar = bar;
    this.since = Math.floor((until - length) / bar) * bar;
    this.until = Math.floor(until / bar) * bar;
    this.count = Math.round((this.until - this.since) / bar) + 1;
  }

  /** The number of the bar that a time lies in, with its part. */
  place = (seconds) => (seconds - this.since) / this.bar;

  /** The start of the bar that a time lies in. */
  start = (seconds) => Math.floor(seconds / this.bar) * this.bar;

  /** Bars with a place for each time; what is not in `found` (a Map by start) is left empty. */
  all(found) {
    return Array.from({ length: this.count }, (_, number) => {
      const time = this.since + number * this.bar;
      return found.get(time) ?? { time };
    });
  }
}

/** Seconds of a time as the service writes it. */
export const seconds = (iso) => Date.parse(iso) / 1000;
