import assert from "node:assert/strict";
import { test } from "node:test";

import { linksOf, newStore, stock, take, traffic } from "../assets/store.js";

const scene = () => ({
  frequencies: ["coi"], pools: ["CC-GW1"], nodes: [],
  links: [{ name: "CC-GW1", a: "CC", b: "GW1" }, { name: "CC-GW2", a: "CC", b: "GW2" }, { name: "GW1-GW2", a: "GW1", b: "GW2" }],
  chains: [
    { id: "pmu-1", mode: "otp", off: false, routes: [["RTU1", "GW1", "CC"], ["RTU1", "GW1", "GW2", "CC"]] },
    { id: "agc-1", mode: "otp", off: false, routes: [["CC", "GW1", "RTU1"]] },
  ],
});

function begun() {
  const store = newStore();
  take(store, { t: 0, status: {}, scene: scene(), whole: true, rows: [[0, 0, 1000]] });
  return store;
}

test("chains are counted on the links they travel over", () => {
  const store = begun();
  assert.deepEqual(traffic(store), { "CC-GW1": 2, "CC-GW2": 0, "GW1-GW2": 0 });
  take(store, { t: 1, status: {}, chains: [{ i: 0, route: 1, mode: "aes", off: false, failed: 0 }] });
  assert.deepEqual(traffic(store), { "CC-GW1": 1, "CC-GW2": 1, "GW1-GW2": 1 });
  take(store, { t: 2, status: {}, chains: [{ i: 0, route: 1, mode: "aes", off: true, failed: 0 }] });
  assert.deepEqual(traffic(store), { "CC-GW1": 1, "CC-GW2": 0, "GW1-GW2": 0 });
  assert.deepEqual(linksOf(store.scene, ["RTU9", "GW1", "CC"]), ["CC-GW1"]);
});

test("outages begin and end with their events", () => {
  const store = begun();
  take(store, { t: 5, status: {}, entries: [{ t: 3, type: "link-down", element: "CC-GW1" }, { t: 5, type: "link-up", element: "CC-GW1" }, { t: 5, type: "link-down", element: "CC-GW2" }] });
  assert.deepEqual(store.outages, [{ link: "CC-GW1", from: 3, to: 5 }, { link: "CC-GW2", from: 5, to: null }]);
});

test("an attack marks its link while it lasts", () => {
  const store = begun();
  take(store, { t: 5, status: {}, entries: [{ t: 5, type: "operator-attack", element: "CC-GW1", detail: "duration=30s attack=drop" }] });
  assert.equal(store.attacked["CC-GW1"], 35);
});

test("rows of a long run are bounded and keep peaks and lows", () => {
  const store = begun();
  for (let i = 1; i <= 40000; i++) take(store, { t: i / 10, status: {}, rows: [[i / 10, i === 700 ? -0.3 : 0.001, i === 900 ? 1 : 500]] });
  const [times, hz, pool] = store.columns;
  assert.ok(times.length <= 12000 && times.length === hz.length && times.length === pool.length, `${times.length}`);
  assert.equal(Math.min(...hz), -0.3);
  assert.equal(Math.min(...pool), 1);
  for (let i = 1; i < times.length; i++) assert.ok(times[i] > times[i - 1], `${times[i - 1]} before ${times[i]}`);
  assert.equal(times.at(-1), 4000);
});

test("whole rows replace those that were sent", () => {
  const store = begun();
  take(store, { t: 1, status: {}, whole: true, rows: [[1, 0.1, 5]] });
  assert.deepEqual(store.columns, [[1], [0.1], [5]]);
});

test("the log is bounded and keeps what is seldom", () => {
  const store = begun();
  take(store, { t: 0, status: {}, entries: [{ n: 0, t: 0, type: "link-down", element: "CC-GW1" }] });
  for (let i = 1; i < 5000; i++) take(store, { t: i, status: {}, entries: [{ n: i, t: i, type: "plan", counts: {} }] });
  assert.ok(store.entries.length <= 1000);
  assert.equal(store.entries[0].type, "link-down");
});

test("key is plenty, short or kept", () => {
  const link = { quantum: true, safe_bits: 100, threshold_bits: 150 };
  assert.deepEqual([200, 150, 149, 100, 99].map((b) => stock(link, { bits: b })), ["plenty", "plenty", "short", "short", "safe"]);
  assert.equal(stock({ quantum: false }, { bits: 0 }), "");
});
