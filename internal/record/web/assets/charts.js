// The two charts. uPlot draws; what it draws is cut from the store.

import uPlot from "./uplot/uPlot.esm.js";

import { $, css } from "./dom.js";
import { link as linkName, signed } from "./format.js";
import { thinPools } from "./words.js";

const mostNamed = 8; // pools
const colours = ["--c1", "--c2", "--c3", "--c4", "--c5", "--c6"];

/** Charts draws frequency and pools of a store. */
export class Charts {
  constructor() {
    this.resizer = new ResizeObserver(() => this.resize());
    for (const id of ["frequency-chart", "pool-chart"]) this.resizer.observe($(id));
    $("generators").addEventListener("change", () => this.store && this.showGenerators());
    $("window").addEventListener("change", () => this.store && this.update());
    this.plots = [];
  }

  /** begin makes the charts of a store. */
  begin(store) {
    this.store = store;
    this.plots.forEach((p) => p.destroy());
    const { scene } = store;
    const centre = scene.pools.filter((name) => scene.links.find((l) => l.name === name).at_centre);
    this.named = centre.length <= mostNamed ? centre : [];
    this.room = Math.max(40, ...this.named.map((name) => widthOf(linkName(name)) + 10));
    const frequencies = scene.frequencies.map((name, i) => (i === 0
      ? { label: "COI", stroke: () => css("--c1"), width: 2 }
      : { label: name, stroke: () => css("--thin"), width: 1, show: $("generators").checked }));
    this.frequency = this.plot("frequency-chart", frequencies, {
      range: (_, min, max) => around(min, max, 1.3 * scene.safe_hz), values: (_, v) => v.map((x) => signed(x, places(v))),
    }, [(u) => this.limits(u, [[scene.safe_hz, "+Δf_safe"], [-scene.safe_hz, "−Δf_safe"]])]);
    $("pool-key").textContent = this.named.length ? ["kbit", thinPools(scene, this.named)].filter(Boolean).join("; ") : "kbit, a line a link";
    this.pools = this.plot("pool-chart", scene.pools.map((name) => this.pool(name, this.named.indexOf(name))), {
      range: (_, min, max) => [0, 1.08 * Math.max(max ?? 0, this.threshold())], values: (_, v) => v.map((x) => `${x / 1000}`),
    }, [(u) => this.limits(u, this.poolLimits())], (u) => this.ends(u));
    this.plots = [this.frequency, this.pools];
    this.update();
  }

  plot(id, series, y, marks, last = () => {}) {
    const box = $(id);
    const axis = { stroke: () => css("--muted"), grid: { stroke: () => css("--grid"), width: 1 }, ticks: { show: false }, font: "11px system-ui, sans-serif" };
    return new uPlot({
      width: Math.max(80, box.clientWidth), height: Math.max(60, box.clientHeight),
      padding: [8, this.room, 0, 0], // both alike, so that their times stand below one another
      cursor: { drag: { x: false, y: false }, points: { show: false }, sync: { key: "time" } },
      legend: { show: false },
      scales: { x: { time: false, range: () => this.span() }, y: { range: y.range } },
      axes: [
        { ...axis, size: 22, gap: 2, space: 60, values: (_, v) => v.map((x) => `${+x.toFixed(2)} s`) },
        { ...axis, size: 50, gap: 4, space: 26, values: y.values },
      ],
      series: [{}, ...series],
      hooks: { drawAxes: [(u) => this.outages(u), ...marks], draw: [(u) => this.events(u), last] },
    }, [[], ...series.map(() => [])], box);
  }

  // pool is the line of one: those at a control centre in colour and with
  // their names at the end, others thin.
  pool(name, k) {
    if (k < 0) return { label: name, stroke: () => css("--thin"), width: 1 };
    return { label: name, stroke: () => css(colours[k % colours.length]), width: 1.8 };
  }

  /** update draws what is new. */
  update() {
    const { columns, scene } = this.store;
    const from = first(columns[0], this.span()[0]);
    const cut = (list) => list.map((column) => column.slice(from));
    const n = scene.frequencies.length;
    const times = columns[0].slice(from);
    this.frequency.setData([times, ...cut(columns.slice(1, 1 + n))]);
    this.pools.setData([times, ...cut(columns.slice(1 + n))]);
  }

  /** redraw follows a change of theme. */
  redraw() {
    this.plots.forEach((p) => p.redraw());
  }

  span() {
    const width = Number($("window").value);
    const now = Math.max(1, this.store.t);
    return width > 0 ? [Math.max(0, now - width), Math.max(now, width)] : [0, Math.max(now, 10)];
  }

  resize() {
    for (const [plot, id] of [[this.frequency, "frequency-chart"], [this.pools, "pool-chart"]]) {
      plot?.setSize({ width: Math.max(80, $(id).clientWidth), height: Math.max(60, $(id).clientHeight) });
    }
  }

  showGenerators() {
    for (let i = 2; i <= this.store.scene.frequencies.length; i++) this.frequency.setSeries(i, { show: $("generators").checked });
  }

  threshold() {
    return Math.max(0, ...this.store.scene.links.map((l) => l.threshold_bits));
  }

  poolLimits() {
    const pools = this.store.scene.links.filter((l) => l.cap_bits > 0);
    const same = (key) => (new Set(pools.map((l) => l[key])).size === 1 ? pools[0][key] : null);
    return [[same("safe_bits"), "K_safe"], [same("threshold_bits"), "K_th"]].filter(([v]) => v);
  }

  // limits draws lines with names, and shades what lies between the first two
  // where they are about zero.
  limits(u, lines) {
    const { ctx, bbox } = u;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    if (lines.length === 2 && lines[1][0] < 0) {
      const [top, bottom] = lines.map(([v]) => u.valToPos(v, "y", true));
      ctx.fillStyle = css("--band");
      ctx.fillRect(bbox.left, top, bbox.width, bottom - top);
    }
    ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
    ctx.textAlign = "left";
    for (const [value, name] of lines) {
      const y = Math.round(u.valToPos(value, "y", true));
      ctx.strokeStyle = ctx.fillStyle = css(name === "K_safe" ? "--bad" : name === "K_th" ? "--warn" : "--muted");
      ctx.setLineDash([6 * devicePixelRatio, 4 * devicePixelRatio]);
      ctx.lineWidth = devicePixelRatio;
      ctx.beginPath();
      ctx.moveTo(bbox.left, y);
      ctx.lineTo(bbox.left + bbox.width, y);
      ctx.stroke();
      ctx.fillText(name, bbox.left + 4 * devicePixelRatio, y + (name === "K_safe" ? 12 : -3) * devicePixelRatio);
    }
    ctx.restore();
  }

  // ends names the lines at the end of each, apart from one another.
  ends(u) {
    const { ctx, bbox } = u;
    const lines = u.series.map((s, i) => ({ s, y: u.data[i]?.at(-1) })).filter(({ s, y }) => this.named.includes(s.label) && y != null)
      .map(({ s, y }) => ({ s, y: u.valToPos(y, "y", true) })).sort((a, b) => a.y - b.y);
    const gap = 12 * devicePixelRatio;
    for (let i = 1; i < lines.length; i++) lines[i].y = Math.max(lines[i].y, lines[i - 1].y + gap);
    const over = (lines.at(-1)?.y ?? 0) - (bbox.top + bbox.height - 5 * devicePixelRatio);
    ctx.save();
    ctx.font = nameFont(devicePixelRatio);
    ctx.textAlign = "left";
    ctx.textBaseline = "middle";
    for (const { s, y } of lines) {
      ctx.fillStyle = s.stroke(u, 0);
      ctx.fillText(linkName(s.label), bbox.left + bbox.width + 4 * devicePixelRatio, y - Math.max(0, over));
    }
    ctx.restore();
  }

  // outages shades the times at which a link is broken.
  outages(u) {
    const { ctx, bbox } = u;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    ctx.fillStyle = css("--outage");
    for (const o of this.store.outages) {
      const left = u.valToPos(o.from, "x", true);
      const right = u.valToPos(o.to ?? this.store.t, "x", true);
      ctx.fillRect(left, bbox.top, Math.max(2 * devicePixelRatio, right - left), bbox.height);
    }
    ctx.restore();
  }

  // events marks load steps, trips, attacks and breaks at the top.
  events(u) {
    const { ctx, bbox } = u;
    const marks = [...this.store.marks, ...this.store.outages.map((o) => ({ t: o.from, kind: "break" }))];
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top - 2, bbox.width, bbox.height);
    ctx.clip();
    ctx.font = `bold ${11 * devicePixelRatio}px system-ui, sans-serif`;
    ctx.textAlign = "center";
    for (const m of marks) {
      const x = Math.round(u.valToPos(m.t, "x", true));
      if (x < bbox.left - 40 || x > bbox.left + bbox.width) continue;
      ctx.strokeStyle = ctx.fillStyle = css(m.kind === "break" ? "--text" : "--bad");
      ctx.lineWidth = devicePixelRatio;
      ctx.setLineDash(m.kind === "break" ? [2 * devicePixelRatio, 3 * devicePixelRatio] : []);
      ctx.beginPath();
      ctx.moveTo(x, bbox.top + 12 * devicePixelRatio);
      ctx.lineTo(x, bbox.top + bbox.height - 12 * devicePixelRatio);
      ctx.stroke();
      const low = m.kind === "break" || m.kind === "attack"; // what befalls links stands below
      ctx.fillText({ break: "✕", load: m.mw > 0 ? "▼" : "△", trip: "⌁", attack: "▲" }[m.kind], x, low ? bbox.top + bbox.height - 3 * devicePixelRatio : bbox.top + 10 * devicePixelRatio);
    }
    ctx.restore();
  }
}

/** first is the place of the first time from t on. */
export function first(times, t) {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle] < t) low = middle + 1;
    else high = middle;
  }
  return Math.max(0, low - 1);
}

function around(min, max, least) {
  const most = Math.max(least, 1.1 * Math.abs(min ?? 0), 1.1 * Math.abs(max ?? 0));
  return [-most, most];
}

const nameFont = (ratio) => `bold ${10.5 * ratio}px system-ui, sans-serif`;

// widthOf is that of a name at the end of a line.
function widthOf(name) {
  const ctx = document.createElement("canvas").getContext("2d");
  ctx.font = nameFont(1);
  return Math.ceil(ctx.measureText(name).width);
}

// places is how many decimals tell all values apart.
function places(values) {
  for (let n = 2; n < 5; n++) if (values.every((x) => Math.abs(x - Number(x.toFixed(n))) < 1e-9)) return n;
  return 5;
}
