import assert from "node:assert/strict";
import { test } from "node:test";

import { bits, count, digits, pace, percent, signed } from "../assets/format.js";
import { fields, goSeconds, lateText, thinPools, words } from "../assets/words.js";

const scene = { nodes: [{ name: "RTU16", kind: "rtu", area: "area-3", buses: [16] }] };

for (const [entry, text] of [
  [{ type: "link-down", element: "CC-GW2" }, "Fibre CC–GW2 is cut: no key, no frames"],
  [{ type: "link-up", element: "CC-GW2" }, "Fibre CC–GW2 is whole again"],
  [{ type: "load-step", element: "bus/16", value: 552 }, "+552 MW of load at bus 16 (area-3)"],
  [{ type: "load-step-end", element: "bus/16", value: -552 }, "−552 MW of load at bus 16 (area-3): the step is over, reserve returns"],
  [{ type: "pool-below-safe", element: "CC-GW2", value: 34112, alert: true }, "Key of CC–GW2 is kept for emergencies: 34.1 kbit, below K_safe"],
  [{ type: "pool-below-safe", element: "CC-GW2", value: 52000, alert: true, over: true }, "Key of CC–GW2 is back above K_th: 52 kbit"],
  [{ type: "pool-below-safe", element: "CC-GW2", detail: "store", alert: true }, "Store of CC–GW2 is below K_safe: 0 bit"],
  [{ type: "pool-below-safe", element: "CC-GW2", value: 52000, detail: "store", alert: true, over: true }, "Store of CC–GW2 stays above K_safe again: 52 kbit"],
  [{ type: "frequency-out-of-band", element: "coi", value: -0.0612, limit: 0.05, alert: true }, "Frequency is outside ±0.050 Hz: −0.061 Hz"],
  [{ type: "frequency-out-of-band", element: "coi", value: -0.0744, limit: 0.05, alert: true, over: true }, "Frequency is back within ±0.050 Hz, after −0.074 Hz at most"],
  [{ type: "federate-lost", element: "my-grid", detail: "ended with 1", alert: true }, "Federate my-grid is lost: ended with 1"],
  [{ type: "late", counts: { late: 3, cut: 0 }, value: 0.1402, limit: 0.1, alert: true }, "3 decisions took longer than 100 ms, up to 140 ms"],
  [{ type: "late", counts: { late: 0, cut: 1 }, limit: 0.1, alert: true }, "1 decision ended by the clock"],
  [{ type: "late", counts: { late: 1, cut: 2 }, value: 1.25, limit: 0.1, alert: true }, "1 decision took longer than 100 ms, up to 1.3 s; 2 ended by the clock"],
  [{ type: "late", counts: { late: 15, cut: 48 }, value: 0.1661, limit: 0.1, alert: true, over: true },
    "Decisions in time again: 63 were late, 48 of them ended by the clock, up to 166 ms"],
  [{ type: "late", counts: { late: 0, cut: 1 }, limit: 0.1, alert: true, over: true }, "Decisions in time again: 1 was late, ended by the clock"],
  [{ type: "pool-protect", element: "CC-GW2", value: 3000 }, "Key of CC–GW2 is below K_safe again: 3 kbit"],
  [{ type: "pool-below-safe", element: "CC-GW2", alert: true }, "Key of CC–GW2 is kept for emergencies: 0 bit, below K_safe"],
  [{ type: "key-no-yield", element: "CC-GW2", value: 0.112 }, "CC–GW2: error rate 11.2 % is above the bound, no key"],
  [{ type: "operator-link-break", element: "CC-GW2", detail: "duration=4s" }, "Operator: cut fibre CC–GW2 for 4 s"],
  [{ type: "operator-attenuation-surge", element: "CC-GW2", value: 3, detail: "duration=1m0s" }, "Operator: 3 dB more loss on CC–GW2 for 60 s"],
  [{ type: "operator-load-step", element: "bus/7", value: -80, detail: "duration=5m0s" }, "Operator: −80 MW of load at bus 7 for 5 min"],
  [{ type: "operator-attack", element: "CC-GW1", detail: "duration=30s attack=delay from=CC probability=0.5 delay_s=0.5" },
    "Adversary on CC–GW1: delaying, 50 % of messages, by 0.50 s, from CC for 30 s"],
  [{ type: "operator-breaker", element: "branch/16-17" }, "Operator: open the breaker of branch 16-17"],
  [{ type: "operator-plan", element: "agc-30", value: 1, detail: "aes-wc" }, "Operator: chain agc-30 on route 2 in AES-WC"],
  [{ type: "operator-plan", element: "agc-30", detail: "off" }, "Operator: chain agc-30 off"],
  [{ type: "plan", counts: { route: 2, "aes-wc": 1 }, names: ["pmu-4", "pmu-30"] }, "Chains 2 rerouted, 1 to AES-WC (pmu-4, pmu-30 …)"],
  [{ type: "failures", counts: { late: 1, "link-down": 7 }, names: ["pmu-4"] }, "8 tasks failed: link down 7, late 1 (pmu-4 …)"],
  [{ type: "failures", counts: { "no-key": 1 }, names: ["agc-30"] }, "1 task failed: no key (agc-30)"],
  [{ type: "something-new", element: "x", detail: "y" }, "something new x y"],
]) {
  test(text, () => assert.equal(words(entry, scene).text, text));
}

test("durations are read as Go writes them", () => {
  for (const [text, s] of [["4s", 4], ["1m30s", 90], ["2h0m0.5s", 7200.5], ["250ms", 0.25], ["", 0]]) assert.equal(goSeconds(text), s, text);
  assert.deepEqual(fields("duration=4s attack=drop"), { duration: "4s", attack: "drop" });
});

test("numbers keep three digits and their unit", () => {
  assert.deepEqual([31, 999, 31234, 112000, 1.5e6].map(bits), ["31 bit", "999 bit", "31.2 kbit", "112 kbit", "1.50 Mbit"]);
  assert.deepEqual([0, 3, 0.25, 12.34, 552.2].map(digits), ["0", "3", "0.25", "12.3", "552"]);
  assert.deepEqual([0.1, 1, 118.2].map(pace), ["0.10×", "1.0×", "118×"]);
  assert.deepEqual([-0.05, 0.05].map((x) => signed(x, 2)), ["−0.05", "0.05"]);
  assert.equal(count(84213), "84,213");
});

test("a share that is not whole never reads 100 %", () => {
  assert.deepEqual([1, 0.999999, 0.99987, 0.934, 0].map(percent), ["100.0 %", "99.99 %", "99.99 %", "93.4 %", "0.0 %"]);
});

test("decisions are late when they took too long or the clock ended them", () => {
  assert.deepEqual([{ late: 0, cut: 0 }, { late: 1200, cut: 0 }, { late: 2, cut: 3 }].map(lateText), ["none late", "1,200 late", "5 late"]);
});

test("thin lines are named for what they join", () => {
  const nodes = [["CC0", "cc"], ["CC1", "cc"], ["GW1", "gateway"], ["GW2", "gateway"]].map(([name, kind]) => ({ name, kind }));
  const of = (...pairs) => ({ nodes, pools: pairs.map((p) => p.join("-")), links: pairs.map(([a, b]) => ({ name: `${a}-${b}`, a, b })) });
  assert.equal(thinPools(of(["CC1", "GW1"], ["GW1", "GW2"]), ["CC1-GW1"]), "thin: links between gateways");
  assert.equal(thinPools(of(["CC1", "GW1"], ["GW1", "GW2"], ["CC0", "CC1"]), ["CC1-GW1"]), "thin: links between gateways and between centres");
  assert.equal(thinPools(of(["CC1", "GW1"]), ["CC1-GW1"]), "");
});
