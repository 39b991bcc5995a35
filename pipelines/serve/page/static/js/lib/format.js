// Numbers, times and shares as a trader reads them. What is not known is a dash, never a zero.

export const NONE = "–";
const known = (value) => value !== null && value !== undefined && !Number.isNaN(value);
const STEPS = [
  [1e12, "T"],
  [1e9, "B"],
  [1e6, "M"],
  [1e3, "K"],
];

/** 1234567 → 1.23M; three digits that mean something. */
export function short(value) {
  if (!known(value)) return NONE;
  const size = Math.abs(value);
  const [step, letter] = STEPS.find(([least]) => size >= least * 0.9995) ?? [1, ""];
  const scaled = value / step;
  const digits = Math.abs(scaled) >= 100 ? 0 : Math.abs(scaled) >= 10 ? 1 : 2;
  return `${scaled.toFixed(step === 1 && Number.isInteger(value) ? 0 : digits)}${letter}`;
}

/** $1.23M */
export function usd(value) {
  return known(value) ? `${value < 0 ? "−" : ""}$${short(Math.abs(value))}` : NONE;
}

/** $1,234,567.89: the whole amount */
export function whole(value) {
  if (!known(value)) return NONE;
  const digits = Math.abs(value) >= 1000 ? 0 : 2;
  return `$${value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits })}`;
}

export const count = (value) => (known(value) ? Math.round(value).toLocaleString("en-US") : NONE);

/** A price, with as many digits as its size asks for. */
export function price(value) {
  if (!known(value)) return NONE;
  const digits = decimals(value);
  return value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** How many decimals a price of this size is written with. */
export function decimals(value) {
  const size = Math.abs(value);
  if (size >= 10000) return 1;
  if (size >= 100) return 2;
  return size === 0 ? 2 : Math.min(12, 3 - Math.floor(Math.log10(size)));
}

/** 0.1234 → 12.3 % */
export function share(value, digits = 1) {
  if (!known(value)) return NONE;
  const percent = value * 100;
  return percent > 0 && percent < 0.05 && digits === 1 ? "< 0.1 %" : `${percent.toFixed(digits)} %`;
}

/** 0.0123 → +1.23 % */
export function change(value, digits = 2) {
  if (!known(value)) return NONE;
  const size = (Math.abs(value) * 100).toFixed(digits);
  return `${Number(size) === 0 ? "" : value > 0 ? "+" : "−"}${size} %`;
}

/** A funding rate of eight hours: +0.0100 % */
export const rate = (value) => change(value, 4);

/** 16:56:34 of a time in UTC */
export const clock = (iso) => (iso ? iso.slice(11, 19) : NONE);
/** 30 Nov 16:56 */
export function moment(iso) {
  if (!iso) return NONE;
  const at = new Date(iso);
  return `${at.getUTCDate()} ${at.toLocaleString("en-GB", { month: "short", timeZone: "UTC" })} ${iso.slice(11, 16)}`;
}

/** 95 → 1 min 35 s; the two largest units */
export function age(seconds) {
  if (!known(seconds)) return NONE;
  const total = Math.max(0, Math.round(seconds));
  if (total < 60) return `${total} s`;
  if (total < 3600) return `${Math.floor(total / 60)} min${total < 600 && total % 60 ? ` ${total % 60} s` : ""}`;
  if (total < 172800) return `${Math.floor(total / 3600)} h ${Math.floor((total % 3600) / 60)} min`;
  return `${Math.floor(total / 86400)} days`;
}

/** long → Long; what a side's closing did to the price */
export const side = (value) => (value === "long" ? "Long" : value === "short" ? "Short" : NONE);
