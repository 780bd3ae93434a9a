// Sizes, times and names, as people read them.

const UNITS = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];
const DATE = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "short" });
const RELATIVE = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const SPANS = [
  ["year", 31_536_000],
  ["month", 2_592_000],
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
];

/** `1.5 MB`. */
export function size(bytes) {
  const power = bytes < 1000 ? 0 : Math.min(Math.floor(Math.log10(bytes) / 3), UNITS.length - 1);
  const value = bytes / 1000 ** power;
  return new Intl.NumberFormat("en", {
    style: "unit",
    unit: UNITS[power],
    unitDisplay: power ? "short" : "long",
    maximumSignificantDigits: value < 100 ? 2 : 3,
  }).format(value);
}

/** `Jun 1, 2026, 8:00 AM`, from Unix seconds. */
export const date = (seconds) => DATE.format(seconds * 1000);

/** `in 3 days` or `5 minutes ago`, from Unix seconds. */
export function relative(seconds) {
  const left = seconds - Date.now() / 1000;
  for (const [unit, length] of SPANS) {
    if (Math.abs(left) >= 0.95 * length) return RELATIVE.format(Math.round(left / length), unit);
  }
  return left > 0 ? "in less than a minute" : "just now";
}

/** `1 file`, `10,000 files`. */
export const files = (count) => `${count.toLocaleString("en")} ${count === 1 ? "file" : "files"}`;

/** The suffix of a name, in lower case; "" without one. */
export const suffix = (name) => /\.([a-z0-9]{1,8})$/i.exec(name)?.[1].toLowerCase() ?? "";
