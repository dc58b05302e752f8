// Numbers in the words of the page. All functions are pure.

/** bits writes a number of bits: "31.2 kbit". */
export function bits(n) {
  const [value, unit] = n >= 1e6 ? [n / 1e6, "Mbit"] : n >= 1e3 ? [n / 1e3, "kbit"] : [n, "bit"];
  return `${digits(value)} ${unit}`;
}

/** digits writes three digits that matter. */
export function digits(x) {
  const size = Math.abs(x);
  return x.toFixed(size >= 100 || Number.isInteger(x) ? 0 : size >= 10 ? 1 : 2);
}

/** signed writes a number with a minus sign where it is negative: "−0.05". */
export function signed(x, places) {
  return x.toFixed(places).replace("-", "−");
}

/** seconds writes a time: "312.4 s". */
export function seconds(s, places = 1) {
  return `${s.toFixed(places)} s`;
}

/** count writes a whole number with its thousands apart: "84,213". */
export function count(n) {
  return Math.round(n).toString().replace(/\B(?=(\d{3})+$)/g, ",");
}

/** percent writes a share: "99.9 %"; a share that is not whole never reads 100. */
export function percent(share) {
  const shown = share < 1 ? Math.min(share, 0.9999) : share;
  return `${(100 * shown).toFixed(shown > 0.999 && shown < 1 ? 2 : 1)} %`;
}

/** pace writes a speed against real time: "118×". */
export function pace(factor) {
  return factor >= 10 ? `${Math.round(factor)}×` : `${factor.toFixed(factor >= 1 ? 1 : 2)}×`;
}

/** many writes a number of things: "1 chain", "2 chains". */
export function many(n, thing) {
  return `${count(n)} ${thing}${n === 1 ? "" : "s"}`;
}

/** link writes a link's name with a dash between its ends. */
export function link(name) {
  return name.replace("-", "–");
}
