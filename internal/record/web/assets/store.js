// What the page knows of a run, built from the messages of its stream. Pure:
// it neither draws nor fetches.

import { fields, goSeconds } from "./words.js";

const room = 12000; // rows; what is older grows coarser
const mostEntries = 500;

/** newStore begins with nothing known. */
export function newStore() {
  return { scene: null, status: null, t: 0, columns: [], entries: [], chains: [], links: [], figures: null, outages: [], marks: [], attacked: {} };
}

/** take adds a message. It returns the entries that are new. */
export function take(store, message) {
  store.t = message.t;
  store.status = message.status;
  if (message.scene) begin(store, message.scene);
  if (message.whole) store.columns = store.columns.map(() => []);
  for (const row of message.rows ?? []) row.forEach((x, j) => store.columns[j].push(x));
  if (store.columns[0]?.length > room) halve(store);
  for (const { i, ...chain } of message.chains ?? []) store.chains[i] = chain;
  if (message.links) store.links = message.links;
  if (message.figures) store.figures = message.figures;
  for (const entry of message.entries ?? []) note(store, entry);
  store.entries.push(...(message.entries ?? []));
  if (store.entries.length > 2 * mostEntries) thin(store);
  return message.entries ?? [];
}

function begin(store, scene) {
  Object.assign(store, newStore(), { scene, t: store.t, status: store.status });
  store.columns = Array.from({ length: 1 + scene.frequencies.length + scene.pools.length }, () => []);
  store.chains = scene.chains.map((c) => ({ route: 0, mode: c.mode, off: c.off, failed: 0 }));
  store.links = scene.links.map(() => ({ state: 0, rate_bps: 0, bits: 0 }));
}

// thin drops the oldest entries, first of those that come all the time.
function thin(store) {
  const often = store.entries.filter((e) => e.type === "plan" || e.type === "failures");
  const drop = new Set(often.slice(0, Math.max(0, often.length - mostEntries / 2)));
  store.entries = store.entries.filter((e) => !drop.has(e)).slice(-mostEntries);
}

// halve merges pairs in the older half of the rows: of a frequency the larger
// deviation stays, of a pool the lower level.
function halve(store) {
  const half = store.columns[0].length >> 1;
  const pools = 1 + store.scene.frequencies.length;
  store.columns = store.columns.map((column, j) => {
    const merged = [];
    for (let i = 0; i + 1 < half; i += 2) {
      const [a, b] = [column[i], column[i + 1]];
      merged.push(j === 0 ? b : j >= pools ? Math.min(a, b) : Math.abs(a) > Math.abs(b) ? a : b);
    }
    return merged.concat(column.slice(half & ~1));
  });
}

// note keeps what charts mark and links show: outages, load steps, adversaries.
function note(store, e) {
  const open = store.outages.findLast((o) => o.link === e.element && o.to === null);
  switch (e.type) {
    case "link-down": case "key-break":
      store.outages.push({ link: e.element, from: e.t, to: null });
      break;
    case "link-up": case "key-repair":
      if (open) open.to = e.t;
      break;
    case "load-step":
      store.marks.push({ t: e.t, kind: "load", mw: e.value });
      break;
    case "generator-trip": case "branch-trip":
      store.marks.push({ t: e.t, kind: "trip" });
      break;
    case "operator-attack": {
      const until = e.t + goSeconds(fields(e.detail).duration);
      store.attacked[e.element] = Math.max(until, store.attacked[e.element] ?? 0);
      store.marks.push({ t: e.t, kind: "attack" });
      break;
    }
  }
}

/** linksOf are the names of the links of a route. */
export function linksOf(scene, route) {
  scene.between ??= new Map(scene.links.flatMap((l) => [[`${l.a}>${l.b}`, l.name], [`${l.b}>${l.a}`, l.name]]));
  return route.slice(1).map((to, i) => scene.between.get(`${route[i]}>${to}`)).filter(Boolean);
}

/** traffic counts the chains that travel over each link as things are planned. */
export function traffic(store) {
  const counts = Object.fromEntries(store.scene.links.map((l) => [l.name, 0]));
  store.scene.chains.forEach((chain, i) => {
    const now = store.chains[i];
    if (now.off) return;
    for (const name of linksOf(store.scene, chain.routes[now.route] ?? [])) counts[name]++;
  });
  return counts;
}

/** stock says how a link's key stands: plenty, short (below K_th), safe (below
 * K_safe), or nothing for a link without a pool. */
export function stock(link, now) {
  if (!link.quantum) return "";
  if (now.bits < link.safe_bits) return "safe";
  return now.bits < link.threshold_bits ? "short" : "plenty";
}
