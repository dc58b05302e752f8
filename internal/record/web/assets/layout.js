// Where stations stand on the page: computed once from the network, the same
// for the same network. Pure.
//
// Control centres and gateways are placed by stress majorization: distances on
// the page follow distances in links. The figure is then turned and stretched
// to fill the page, RTUs are fanned out behind their gateway, and what overlaps
// is pushed apart.

const pill = { w: 30, h: 17 }; // an RTU
const body = { w: 54, h: 26 }; // a gateway or centre

/** layout returns the places of stations by name and the hulls of areas. */
export function layout(scene, width, height) {
  const core = scene.nodes.filter((n) => n.kind !== "rtu");
  const leaves = scene.nodes.filter((n) => n.kind === "rtu");
  const homes = new Map(leaves.map((n) => [n.name, home(scene, n.name)]));
  const crowd = Math.max(1, ...core.map((n) => leaves.filter((l) => homes.get(l.name) === n.name).length));
  const reach = crowd > 4 ? 74 : 62;
  const spots = fill(stress(distances(core, scene.links), core), width, height, reach);
  const places = new Map(core.map((n, i) => [n.name, { ...spots[i], ...body, fixed: true }]));
  for (const n of core) fan(n, leaves.filter((l) => homes.get(l.name) === n.name), places, scene, reach, width / height);
  leaves.filter((l) => !places.has(l.name)).forEach((l, i) => places.set(l.name, { x: 20 + 36 * i, y: height - 14, ...pill }));
  part([...places.values()], width, height);
  return { places, hulls: hulls(scene, places) };
}

// home is the gateway or centre an RTU hangs on.
function home(scene, name) {
  const l = scene.links.find((x) => x.a === name || x.b === name);
  return l && (l.a === name ? l.b : l.a);
}

/** distances counts the links between any two of the core's nodes. */
export function distances(core, links) {
  const index = new Map(core.map((n, i) => [n.name, i]));
  const d = core.map((_, i) => core.map((_, j) => (i === j ? 0 : Infinity)));
  for (const l of links) {
    const [a, b] = [index.get(l.a), index.get(l.b)];
    if (a !== undefined && b !== undefined) d[a][b] = d[b][a] = 1;
  }
  for (let k = 0; k < core.length; k++) {
    for (let i = 0; i < core.length; i++) {
      for (let j = 0; j < core.length; j++) d[i][j] = Math.min(d[i][j], d[i][k] + d[k][j]);
    }
  }
  const far = Math.max(1, ...d.flat().filter(Number.isFinite));
  return d.map((row) => row.map((x) => (Number.isFinite(x) ? x : far + 1)));
}

/** stress places nodes so that distances on the plane are those of d as nearly
 * as can be (Gansner, Koren, North 2004), the best of a few beginnings. */
export function stress(d, core) {
  const n = d.length;
  const order = core.map((_, i) => i);
  const byArea = [...order].sort((a, b) => (core[a].area ?? "").localeCompare(core[b].area ?? "") || a - b);
  let best = null;
  for (const around of [order, byArea, walk(d)]) {
    const p = [];
    around.forEach((i, k) => {
      const r = core[i].kind === "cc" ? 0.3 : 1;
      const angle = (2 * Math.PI * k) / n + 0.1;
      p[i] = { x: r * Math.cos(angle), y: r * Math.sin(angle) };
    });
    for (let round = 0; round < 300; round++) improve(p, d);
    const left = remaining(p, d);
    if (!best || left < best.left - 1e-9) best = { left, p };
  }
  return best.p;
}

// walk lists nodes in the order of a depth-first search.
function walk(d) {
  const seen = [];
  const visit = (i) => {
    seen.push(i);
    d[i].forEach((x, j) => x === 1 && !seen.includes(j) && visit(j));
  };
  d.forEach((_, i) => seen.includes(i) || visit(i));
  return seen;
}

function improve(p, d) {
  for (let i = 0; i < p.length; i++) {
    let [x, y, sum] = [0, 0, 0];
    for (let j = 0; j < p.length; j++) {
      if (i === j) continue;
      const w = 1 / (d[i][j] * d[i][j]);
      const [dx, dy] = [p[i].x - p[j].x, p[i].y - p[j].y];
      const scale = d[i][j] / Math.max(1e-6, Math.hypot(dx, dy));
      x += w * (p[j].x + scale * dx);
      y += w * (p[j].y + scale * dy);
      sum += w;
    }
    if (sum > 0) p[i] = { x: x / sum, y: y / sum };
  }
}

function remaining(p, d) {
  let sum = 0;
  for (let i = 0; i < p.length; i++) {
    for (let j = 0; j < i; j++) sum += (Math.hypot(p[i].x - p[j].x, p[i].y - p[j].y) / d[i][j] - 1) ** 2;
  }
  return sum;
}

// fill turns the figure to where it fills the page best, and stretches it.
function fill(p, width, height, reach) {
  const [w, h] = [width - 2 * (reach + 34), height - 2 * (reach * 0.55 + 16)];
  let best = null;
  for (let step = 0; step < 36; step++) {
    const angle = (step * Math.PI) / 36;
    const turned = p.map(({ x, y }) => ({ x: x * Math.cos(angle) - y * Math.sin(angle), y: x * Math.sin(angle) + y * Math.cos(angle) }));
    const box = bounds(turned);
    const scale = Math.min(w / Math.max(1e-6, box.w), h / Math.max(1e-6, box.h));
    if (!best || scale > best.scale * 1.001) best = { scale, turned, box };
  }
  const { turned, box } = best;
  const [sx, sy] = [w / Math.max(1e-6, box.w), h / Math.max(1e-6, box.h)];
  const least = Math.min(sx, sy);
  return turned.map(({ x, y }) => ({
    x: width / 2 + (x - box.x - box.w / 2) * Math.min(sx, 2.1 * least),
    y: height / 2 + (y - box.y - box.h / 2) * Math.min(sy, 2.1 * least),
  }));
}

function bounds(points) {
  const [xs, ys] = [points.map((q) => q.x), points.map((q) => q.y)];
  const [x, y] = [Math.min(...xs), Math.min(...ys)];
  return { x, y, w: Math.max(...xs) - x, h: Math.max(...ys) - y };
}

// fan places RTUs on arcs behind their gateway, away from its other neighbours.
function fan(node, leaves, places, scene, reach, aspect) {
  if (leaves.length === 0) return;
  const at = places.get(node.name);
  let [dx, dy] = [0, 0];
  for (const l of scene.links) {
    const other = l.a === node.name ? l.b : l.b === node.name ? l.a : null;
    const place = places.get(other);
    if (!place?.fixed) continue;
    const far = Math.max(1, Math.hypot(at.x - place.x, at.y - place.y));
    dx += (at.x - place.x) / far;
    dy += (at.y - place.y) / far / Math.max(1, aspect * 0.8);
  }
  const middle = Math.hypot(dx, dy) < 1e-3 ? Math.PI / 2 : Math.atan2(dy, dx);
  const most = Math.max(3, Math.ceil(leaves.length / Math.ceil(leaves.length / 7)));
  leaves.forEach((leaf, i) => {
    const ring = Math.floor(i / most);
    const inRing = Math.min(most, leaves.length - ring * most);
    const spread = Math.min(1.25, 0.3 * inRing);
    const angle = middle + (inRing === 1 ? 0 : spread * ((2 * (i % most)) / (inRing - 1) - 1));
    const r = reach + 30 * ring;
    places.set(leaf.name, { x: at.x + r * Math.cos(angle), y: at.y + r * Math.sin(angle), ...pill });
  });
}

// part pushes apart what overlaps; centres and gateways stay where they are.
function part(boxes, width, height) {
  for (let round = 0; round < 200; round++) {
    let moved = false;
    for (let i = 0; i < boxes.length; i++) {
      for (let j = 0; j < i; j++) moved = separate(boxes[i], boxes[j]) || moved;
    }
    for (const b of boxes) {
      b.x = Math.min(width - b.w / 2 - 2, Math.max(b.w / 2 + 2, b.x));
      b.y = Math.min(height - b.h / 2 - 2, Math.max(b.h / 2 + 2, b.y));
    }
    if (!moved) return;
  }
}

function separate(a, b) {
  const gap = 4;
  const [ox, oy] = [(a.w + b.w) / 2 + gap - Math.abs(a.x - b.x), (a.h + b.h) / 2 + gap - Math.abs(a.y - b.y)];
  if (ox <= 0 || oy <= 0 || (a.fixed && b.fixed)) return false;
  const axis = ox < oy ? "x" : "y";
  const push = (Math.min(ox, oy) + 0.1) * (a[axis] < b[axis] ? -1 : 1);
  const share = a.fixed ? 0 : b.fixed ? 1 : 0.5;
  a[axis] += push * share;
  b[axis] -= push * (1 - share);
  return true;
}

/** labels are the places of quantum links' labels by link, of a width and height:
 * on the link, as near its middle as they cover neither a station nor each
 * other, nor the names of areas. */
export function labels(scene, places, names, w, h) {
  const taken = [...places.values(), ...names];
  const spots = new Map();
  for (const l of scene.links.filter((x) => x.quantum)) {
    const [a, b] = [places.get(l.a), places.get(l.b)];
    let best = null;
    for (const along of [0.5, 0.45, 0.55, 0.4, 0.6, 0.35, 0.65, 0.3, 0.7]) {
      const spot = { x: a.x + along * (b.x - a.x), y: a.y + along * (b.y - a.y), w, h };
      const hidden = taken.reduce((sum, other) => sum + common(spot, other), 0);
      if (!best || hidden < best.hidden) best = { spot, hidden };
    }
    taken.push(best.spot);
    spots.set(l.name, best.spot);
  }
  return spots;
}

// common is the area that two boxes share.
function common(a, b) {
  const [x, y] = [(a.w + b.w) / 2 - Math.abs(a.x - b.x), (a.h + b.h) / 2 - Math.abs(a.y - b.y)];
  return x > 0 && y > 0 ? x * y : 0;
}

/** hulls are the outlines of areas: convex, around all their stations. */
export function hulls(scene, places) {
  const areas = [...new Set(scene.nodes.map((n) => n.area).filter(Boolean))].sort();
  return areas.map((area) => {
    const corners = scene.nodes.filter((n) => n.area === area).flatMap((n) => {
      const { x, y, w, h } = places.get(n.name);
      return [[x - w / 2, y - h / 2], [x + w / 2, y - h / 2], [x + w / 2, y + h / 2], [x - w / 2, y + h / 2]];
    });
    const points = convex(corners);
    return { area, points, name: nameSpot(area, points) };
  });
}

// nameSpot is the place of an area's name: above it, or below where there is no
// room above.
function nameSpot(area, points) {
  const top = points.reduce((best, p) => (p[1] < best[1] ? p : best));
  const bottom = points.reduce((best, p) => (p[1] > best[1] ? p : best));
  const [x, y] = top[1] < 24 ? [bottom[0], bottom[1] + 10] : [top[0], top[1] - 12];
  return { x, y, w: 7 * area.length, h: 14 };
}

function convex(points) {
  const sorted = [...points].sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  const chain = (list) => {
    const kept = [];
    for (const p of list) {
      while (kept.length > 1 && cross(kept.at(-2), kept.at(-1), p) <= 0) kept.pop();
      kept.push(p);
    }
    return kept.slice(0, -1);
  };
  return [...chain(sorted), ...chain(sorted.reverse())];
}

function cross([ax, ay], [bx, by], [cx, cy]) {
  return (bx - ax) * (cy - ay) - (by - ay) * (cx - ax);
}
