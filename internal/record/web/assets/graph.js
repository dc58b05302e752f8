// The network as a picture: its places are computed once, its links change.

import { $, draw, make, say, set } from "./dom.js";
import { bits, many } from "./format.js";
import { labels, layout } from "./layout.js";
import { stock, traffic } from "./store.js";

const flashFor = 700; // ms that a change stays visible however fast the run goes
const tall = 400; // height of the picture in its own units, as wide as the panel asks

/** Graph draws the network of a store and tells what is clicked. */
export class Graph {
  constructor(onSelect) {
    this.svg = $("graph");
    this.onSelect = onSelect;
    this.svg.addEventListener("click", () => this.select(null));
    legend();
  }

  /** begin draws a scene. */
  begin(scene) {
    this.scene = scene;
    const dense = scene.nodes.length > 45;
    const height = dense ? 1.35 * tall : tall;
    const width = Math.round(height * Math.min(2.8, Math.max(1.2, this.svg.clientWidth / Math.max(1, this.svg.clientHeight))));
    const { places, hulls } = layout(scene, width, height);
    this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    const names = hulls.map((h) => h.name);
    const spots = dense ? labels(scene, places, names, 72, 16) : labels(scene, places, names, 100, 18);
    this.links = scene.links.map((l) => this.link(l, places, spots.get(l.name), dense));
    this.nodes = new Map();
    this.svg.replaceChildren(
      draw("g", { class: "hulls" }, ...hulls.map(hull)),
      draw("g", {}, ...this.links.map((l) => l.group).sort((a, b) => a.classList.contains("quantum") - b.classList.contains("quantum"))),
      draw("g", { class: "labels" }, ...this.links.map((l) => l.label).filter(Boolean)),
      draw("g", { class: "nodes" }, ...scene.nodes.map((n) => this.node(n, places.get(n.name)))),
    );
    this.dense = dense;
    this.selected = null;
  }

  link(l, places, spot, dense) {
    const [a, b] = [places.get(l.a), places.get(l.b)];
    const ends = { x1: a.x, y1: a.y, x2: b.x, y2: b.y };
    const line = draw("line", { class: "line", ...ends });
    const glyph = draw("text", { class: "glyph", x: spot?.x, y: spot?.y });
    const title = draw("title", { text: l.name });
    const group = draw("g", { class: l.quantum ? "link quantum" : "link access" }, title, line);
    const label = l.quantum && draw("g", { class: dense ? "stock small" : "stock" }, draw("rect", { height: 16, rx: 3 }), draw("text", { x: spot.x, y: spot.y }));
    if (l.quantum) {
      group.append(draw("line", { class: "hit", ...ends }), glyph);
      selectable(group, `Link ${l.name}`, () => this.select({ link: l.name }));
    }
    return { about: l, group, line, glyph, title, label, spot, until: 0 };
  }

  node(n, { x, y, w, h }) {
    const text = n.kind === "rtu" ? n.name.replace(/^RTU-?/, "") : n.name;
    const about = n.kind === "rtu" ? `${n.name}: ${(n.holds ?? []).join(", ")}` : n.name;
    const shape = n.kind === "cc"
      ? draw("rect", { x: x - w / 2, y: y - h / 2, width: w, height: h })
      : draw("rect", { x: x - w / 2, y: y - h / 2, width: w, height: h, rx: h / 2 });
    const group = draw("g", { class: `node ${n.kind}` }, draw("title", { text: about }), shape, draw("text", { x, y, text }));
    if (n.buses?.length) selectable(group, about, () => this.select({ bus: n.buses[0], station: n.name }));
    this.nodes.set(n.name, group);
    return group;
  }

  /** select marks a link or a station and tells who listens. */
  select(what) {
    this.selected = what;
    for (const l of this.links) l.group.classList.toggle("selected", l.about.name === what?.link);
    for (const [name, group] of this.nodes) group.classList.toggle("selected", name === what?.station);
    this.onSelect(what);
  }

  /** flash keeps the changes of entries visible for a moment. */
  flash(entries) {
    const now = performance.now();
    for (const e of entries) {
      if (e.type === "link-down" || e.type === "key-break") {
        const l = this.links.find((x) => x.about.name === e.element);
        if (l) l.until = now + flashFor;
      }
    }
  }

  /** update draws the links as they are. */
  update(store) {
    const counts = traffic(store);
    const now = performance.now();
    this.links.forEach((l, i) => {
      const state = store.links[i];
      const chains = counts[l.about.name];
      if (!l.about.quantum) return;
      const broken = state.state === 1 || l.until > now;
      const attacked = (store.attacked[l.about.name] ?? 0) > store.t;
      const level = stock(l.about, state);
      const name = ["link quantum", broken ? "broken" : state.state === 2 ? "barren" : "whole", level, attacked && "attacked",
        l.about.name === this.selected?.link && "selected"].filter(Boolean).join(" ");
      set(l.group, "class", name);
      set(l.line, "stroke-width", broken ? 2.5 : (1.5 + 1.5 * Math.sqrt(chains)).toFixed(1));
      say(l.glyph, broken ? "✕" : attacked ? "▲" : "");
      label(l, state, chains, broken, this.dense);
      say(l.title, `${l.about.name}: ${bits(state.bits)} of key, ${broken ? "broken" : `${bits(state.rate_bps)}/s`}, ${many(chains, "chain")}`);
    });
  }
}

// label says how much key a link has and how many chains travel over it.
function label(l, state, chains, broken, dense) {
  const [back, text] = l.label.children;
  const y = l.spot.y + (l.glyph.textContent ? 18 : 0);
  const trouble = broken ? "cut · " : state.state === 2 ? "no yield · " : "";
  const words = dense ? `${bits(state.bits).replace("bit", "").trim()} · ${chains}` : `${trouble}${bits(state.bits)} · ${chains}`;
  say(text, words);
  set(text, "y", y);
  const width = words.length * (dense ? 5.9 : 6.4) + 8;
  set(back, "x", l.spot.x - width / 2);
  set(back, "y", y - 8);
  set(back, "width", width);
}

function hull({ area, points, name }) {
  return draw("g", {}, draw("polygon", { points: points.map((p) => p.join(",")).join(" ") }), draw("text", { x: name.x, y: name.y, text: area }));
}

function selectable(group, name, select) {
  set(group, "tabindex", "0");
  set(group, "role", "button");
  set(group, "aria-label", name);
  group.addEventListener("click", (e) => {
    e.stopPropagation();
    select();
  });
  group.addEventListener("keydown", (e) => {
    if (e.key === "Enter" || e.key === " ") {
      e.preventDefault();
      e.stopPropagation();
      select();
    }
  });
}

function legend() {
  const sample = (cls, text, extra) => make("span", {}, line(cls, extra), document.createTextNode(text));
  $("key").replaceChildren(
    sample("whole plenty", "above K_th"), sample("whole short", "below K_th"), sample("whole safe", "below K_safe"),
    sample("broken", "broken"), sample("barren", "no yield"), sample("whole attacked", "attacked", "▲"),
    make("span", { text: "width, number: chains" }),
  );
}

function line(cls, extra) {
  return draw("svg", { width: 30, height: 12 }, draw("g", { class: `link quantum ${cls}` },
    draw("line", { class: "line", x1: 1, y1: 6, x2: 29, y2: 6, "stroke-width": 4 }),
    extra && draw("text", { class: "glyph", x: 15, y: 6, text: extra })));
}
