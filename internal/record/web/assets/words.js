// What happened, in the words of the control room. All functions are pure.

import { bits, count, digits, link, many, percent, seconds, signed } from "./format.js";

const causes = {
  "no-key": "no key", "link-down": "link down", late: "late", "queue-drop": "full queue", rejected: "refused by the receiver", deactivated: "chain off",
};
const attacks = { tamper: "tampering", replay: "replay", inject: "injection", delay: "delaying", drop: "dropping" };

/** words tells an entry of the log: its text and how it is marked. */
export function words(entry, scene) {
  const tell = tellers[entry.type];
  if (tell) return tell(entry, scene);
  return { mark: "note", text: [entry.type.replaceAll("-", " "), entry.element, entry.detail].filter(Boolean).join(" ") };
}

const tellers = {
  "link-down": (e) => ({ mark: "bad", text: `Fibre ${link(e.element)} is cut: no key, no frames` }),
  "link-up": (e) => ({ mark: "good", text: `Fibre ${link(e.element)} is whole again` }),
  "key-break": (e) => ({ mark: "bad", text: `Quantum link ${link(e.element)} is broken: no key` }),
  "key-repair": (e) => ({ mark: "good", text: `Quantum link ${link(e.element)} works again` }),
  "key-no-yield": (e) => ({ mark: "bad", text: `${link(e.element)}: error rate ${percent(e.value ?? 0)} is above the bound, no key` }),
  "key-yield": (e) => ({ mark: "good", text: `${link(e.element)}: error rate ${percent(e.value ?? 0)}, key again` }),
  "load-step": (e, scene) => ({ mark: "bad", text: `${megawatts(e.value)} of load at ${bus(e.element, scene)}` }),
  "load-step-end": (e, scene) => ({ mark: "good", text: `${megawatts(e.value)} of load at ${bus(e.element, scene)}: the step is over, reserve returns` }),
  "generator-trip": (e) => ({ mark: "bad", text: `Generator at bus ${number(e.element)} trips` }),
  "branch-trip": (e) => ({ mark: "bad", text: `Branch ${number(e.element)} trips` }),
  breaker: (e) => ({ mark: "note", text: `Breaker of branch ${number(e.element)} ${e.value ? "closes" : "opens"}` }),
  "breaker-refused": (e) => ({ mark: "warn", text: `Breaker of branch ${number(e.element)} stays as it is: ${e.detail}` }),
  "order-refused": (e) => ({ mark: "warn", text: `The grid refuses an order for ${e.element}: ${e.detail}` }),
  "pool-warn": (e) => ({ mark: "warn", text: `Key of ${link(e.element)} is short: ${bits(e.value ?? 0)}, below K_th` }),
  "pool-recover": (e) => ({ mark: "good", text: `Key of ${link(e.element)} is back above K_th: ${bits(e.value ?? 0)}` }),
  "key-delivered": (e) => ({ mark: "hand", text: `${bits(e.value ?? 0)} of key of ${link(e.element)} handed to an application at ${e.detail}` }),
  "pool-protect": (e) => ({ mark: "warn", text: `Key of ${link(e.element)} is below K_safe again: ${bits(e.value ?? 0)}` }),
  "pool-below-safe": (e) => (e.detail === "store" ? store(e) : e.over
    ? { mark: "good", text: `Key of ${link(e.element)} is back above K_th: ${bits(e.value ?? 0)}` }
    : { mark: "bad", text: `Key of ${link(e.element)} is kept for emergencies: ${bits(e.value ?? 0)}, below K_safe` }),
  "frequency-out-of-band": (e) => (e.over
    ? { mark: "good", text: `Frequency is back within ±${e.limit.toFixed(3)} Hz, after ${hertz(e.value)} at most` }
    : { mark: "bad", text: `Frequency is outside ±${e.limit.toFixed(3)} Hz: ${hertz(e.value)}` }),
  late: (e) => ({ mark: e.over ? "good" : "warn", text: late(e) }),
  "federate-lost": (e) => ({ mark: "bad", text: `Federate ${e.element} is lost: ${e.detail}` }),
  "operator-agc": (e) => ({ mark: "hand", text: `Operator: set point of the generator at bus ${number(e.element)} ${megawatts(e.value ?? 0)}` }),
  "operator-avr": (e) => ({ mark: "hand", text: `Operator: voltage of the generator at bus ${number(e.element)} ${(e.value ?? 0).toFixed(4)} pu` }),
  "operator-shed": (e) => ({ mark: "hand", text: `Operator: ${digits(e.value ?? 0)} MW called at block ${number(e.element)}` }),
  "operator-breaker": (e) => ({ mark: "hand", text: `Operator: ${e.value ? "close" : "open"} the breaker of branch ${number(e.element)}` }),
  "operator-plan": (e) => ({ mark: "hand", text: `Operator: chain ${e.element} ${e.detail === "off" ? "off" : `on route ${(e.value ?? 0) + 1} in ${modeName(e.detail)}`}` }),
  "operator-link-break": (e) => ({ mark: "hand", text: `Operator: cut fibre ${link(e.element)} for ${lasting(e)}` }),
  "operator-attenuation-surge": (e) => ({ mark: "hand", text: `Operator: ${digits(e.value ?? 0)} dB more loss on ${link(e.element)} for ${lasting(e)}` }),
  "operator-load-step": (e, scene) => ({ mark: "hand", text: `Operator: ${megawatts(e.value ?? 0)} of load at ${bus(e.element, scene)} for ${lasting(e)}` }),
  "operator-attack": (e) => ({ mark: "hand", text: `Adversary on ${link(e.element)}: ${attack(e)} for ${lasting(e)}` }),
  plan: (e) => ({ mark: "plan", text: plan(e) }),
  failures: (e) => {
    const parts = Object.entries(e.counts).sort((a, b) => b[1] - a[1]);
    const total = parts.reduce((sum, [, n]) => sum + n, 0);
    const why = parts.length === 1 ? causes[parts[0][0]] ?? parts[0][0] : parts.map(([cause, n]) => `${causes[cause] ?? cause} ${n}`).join(", ");
    return { mark: "fail", text: `${many(total, "task")} failed: ${why} (${named(e, total)})` };
  },
};

/** lateText is how many decisions were late: longer than their period, or
 * ended by the clock. */
export function lateText(figures) {
  const late = figures.late + figures.cut;
  return late ? `${count(late)} late` : "none late";
}

/** thinPools says which pools have no colour of their own: those between
 * gateways, between centres, or both. */
export function thinPools(scene, named) {
  const kind = Object.fromEntries(scene.nodes.map((n) => [n.name, n.kind]));
  const thin = scene.links.filter((l) => scene.pools.includes(l.name) && !named.includes(l.name));
  const between = (a, b) => thin.some((l) => (kind[l.a] === a && kind[l.b] === b) || (kind[l.a] === b && kind[l.b] === a));
  const ends = [["gateway", "gateway", "between gateways"], ["cc", "cc", "between centres"], ["cc", "gateway", "of centres"]].filter(([a, b]) => between(a, b)).map(([, , text]) => text);
  return ends.length ? `thin: links ${ends.join(" and ")}` : "";
}

/** modeName is how people write a cipher mode. */
export function modeName(mode) {
  return { otp: "OTP", "aes-wc": "AES-WC", aes: "AES" }[mode] ?? mode;
}

/** causeName is why a task failed. */
export function causeName(cause) {
  return causes[cause] ?? cause;
}

function plan(e) {
  const said = {
    off: (n) => `${n} switched off`, on: (n) => `${n} on again`, route: (n) => `${n} rerouted`,
    otp: (n) => `${n} to OTP`, "aes-wc": (n) => `${n} to AES-WC`, aes: (n) => `${n} to AES`,
  };
  const order = ["off", "on", "route", "otp", "aes-wc", "aes"];
  const parts = order.filter((what) => e.counts[what]).map((what) => said[what](e.counts[what]));
  const total = order.reduce((sum, what) => sum + (e.counts[what] ?? 0), 0);
  return `Chains ${parts.join(", ")} (${named(e, total)})`;
}

// store is what chains draw from where they do not draw from the pool itself.
function store(e) {
  return e.over
    ? { mark: "good", text: `Store of ${link(e.element)} stays above K_safe again: ${bits(e.value ?? 0)}` }
    : { mark: "bad", text: `Store of ${link(e.element)} is below K_safe: ${bits(e.value ?? 0)}` };
}

function late(e) {
  const { late: n, cut } = e.counts;
  if (e.over) {
    const ended = n ? `${count(cut)} of them ended by the clock` : "ended by the clock";
    return [`Decisions in time again: ${count(n + cut)} ${n + cut === 1 ? "was" : "were"} late`, cut && ended, n && `up to ${milliseconds(e.value)}`].filter(Boolean).join(", ");
  }
  const parts = [];
  if (n) parts.push(`${many(n, "decision")} took longer than ${milliseconds(e.limit)}, up to ${milliseconds(e.value)}`);
  if (cut) parts.push(`${n ? cut : many(cut, "decision")} ended by the clock`);
  return parts.join("; ");
}

function named(e, total) {
  const names = (e.names ?? []).join(", ");
  return total > (e.names ?? []).length ? `${names} …` : names;
}

function attack(e) {
  const said = fields(e.detail);
  const parts = [attacks[said.attack] ?? said.attack];
  if (said.probability) parts.push(`${digits(100 * Number(said.probability))} % of messages`);
  if (said.rate_per_s) parts.push(`${digits(Number(said.rate_per_s))} a second`);
  if (said.delay_s) parts.push(`by ${seconds(Number(said.delay_s), 2)}`);
  if (said.from) parts.push(`from ${said.from}`);
  return parts.join(", ");
}

/** fields reads "a=1 b=2". */
export function fields(detail) {
  return Object.fromEntries((detail ?? "").split(" ").filter(Boolean).map((word) => word.split("=", 2)));
}

/** goSeconds reads a duration as Go writes it: "1m30s" is 90. */
export function goSeconds(text) {
  const units = { h: 3600, m: 60, s: 1, ms: 1e-3, "µs": 1e-6, ns: 1e-9 };
  let sum = 0;
  for (const [, value, unit] of (text ?? "").matchAll(/([\d.]+)(ms|µs|ns|h|m|s)/g)) sum += Number(value) * units[unit];
  return sum;
}

function lasting(e) {
  const s = goSeconds(fields(e.detail).duration);
  return s >= 120 ? `${digits(s / 60)} min` : `${digits(s)} s`;
}

function megawatts(mw) {
  return `${mw > 0 ? "+" : "−"}${digits(Math.abs(mw))} MW`;
}

function hertz(hz) {
  return `${signed(hz, 3)} Hz`;
}

function milliseconds(s) {
  return s >= 1 ? seconds(s) : `${Math.round(1000 * s)} ms`;
}

function number(element) {
  return element.replace(/^[a-z]+\//, "");
}

function bus(element, scene) {
  const id = Number(number(element));
  const station = scene?.nodes.find((n) => n.buses?.includes(id));
  return `bus ${id}${station?.area ? ` (${station.area})` : ""}`;
}
