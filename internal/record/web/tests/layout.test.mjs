// Run by go test -tags integration ./internal/record/web, or node --test tests/.

import assert from "node:assert/strict";
import { test } from "node:test";

import { distances, hulls, labels, layout, stress } from "../assets/layout.js";

// wheel is the network of the 39-bus case: a centre, four gateways in a ring.
function wheel() {
  const nodes = [{ name: "CC", kind: "cc" }, ...[1, 2, 3, 4].map((i) => ({ name: `GW${i}`, kind: "gateway", area: `area-${i}` }))];
  const links = [1, 2, 3, 4].flatMap((i) => [
    { name: `CC-GW${i}`, a: "CC", b: `GW${i}`, quantum: true }, { name: `GW${i}-GW${(i % 4) + 1}`, a: `GW${i}`, b: `GW${(i % 4) + 1}`, quantum: true },
  ]);
  return hang({ nodes, links }, 5);
}

// four is a federation of four control centres with two gateways each.
function four() {
  const nodes = [{ name: "CC0", kind: "cc" }];
  const links = [];
  for (const i of [1, 2, 3]) {
    nodes.push({ name: `CC${i}`, kind: "cc" }, { name: `GW${2 * i - 1}`, kind: "gateway", area: `area-${2 * i - 1}` }, { name: `GW${2 * i}`, kind: "gateway", area: `area-${2 * i}` });
    links.push({ a: "CC0", b: `CC${i}` }, { a: `CC${i}`, b: `GW${2 * i - 1}` }, { a: `CC${i}`, b: `GW${2 * i}` });
  }
  for (let i = 1; i <= 6; i++) links.push({ a: `GW${i}`, b: `GW${(i % 6) + 1}` });
  return hang({ nodes, links: links.map((l) => ({ ...l, name: `${l.a}-${l.b}`, quantum: true })) }, 11);
}

function hang(scene, each) {
  for (const gateway of scene.nodes.filter((n) => n.kind === "gateway")) {
    for (let i = 0; i < each; i++) {
      const name = `RTU${gateway.name.slice(2)}${i}`;
      scene.nodes.push({ name, kind: "rtu", area: gateway.area });
      scene.links.push({ name: `${gateway.name}-${name}`, a: gateway.name, b: name, quantum: false });
    }
  }
  return scene;
}

const sizes = [[780, 400], [1100, 540], [620, 420]];

for (const [what, make] of [["one centre", wheel], ["four centres", four]]) {
  test(`no station of ${what} covers another or leaves the page`, () => {
    for (const [width, height] of sizes) {
      if (what === "four centres" && width < 1000) continue; // the page gives it more room
      const boxes = [...layout(make(), width, height).places.entries()];
      for (const [name, b] of boxes) {
        assert.ok(b.x - b.w / 2 >= 0 && b.x + b.w / 2 <= width && b.y - b.h / 2 >= 0 && b.y + b.h / 2 <= height, `${name} at ${b.x}, ${b.y}`);
        for (const [other, c] of boxes) {
          if (name >= other) continue;
          assert.ok(Math.abs(b.x - c.x) >= (b.w + c.w) / 2 - 0.5 || Math.abs(b.y - c.y) >= (b.h + c.h) / 2 - 0.5, `${name} covers ${other} at ${width} × ${height}`);
        }
      }
    }
  });

  test(`no label of ${what} covers a station or another label`, () => {
    const scene = make();
    const { places, hulls: areas } = layout(scene, 1100, 540);
    const names = areas.map((h) => h.name);
    const spots = labels(scene, places, names, 72, 16);
    const boxes = [...places.entries(), ...spots.entries(), ...names.entries()];
    for (const [name, b] of spots) {
      for (const [other, c] of boxes) {
        assert.ok(name === other || Math.abs(b.x - c.x) >= (b.w + c.w) / 2 || Math.abs(b.y - c.y) >= (b.h + c.h) / 2, `${name} covers ${other}`);
      }
    }
  });

  test(`the layout of ${what} is the same each time`, () => {
    const [first, again] = [layout(make(), 780, 400), layout(make(), 780, 400)];
    assert.deepEqual([...first.places], [...again.places]);
  });
}

test("the centre stands amid its gateways", () => {
  const { places } = layout(wheel(), 780, 400);
  const centre = places.get("CC");
  assert.ok(Math.abs(centre.x - 390) < 20 && Math.abs(centre.y - 200) < 20, `${centre.x}, ${centre.y}`);
  const corners = new Set([1, 2, 3, 4].map((i) => places.get(`GW${i}`)).map((p) => `${p.x < 390} ${p.y < 200}`));
  assert.equal(corners.size, 4, "gateways stand in the four corners");
});

test("distances count links", () => {
  const { nodes, links } = wheel();
  const d = distances(nodes.slice(0, 5), links);
  assert.deepEqual(d[0], [0, 1, 1, 1, 1]);
  assert.equal(d[1][3], 2);
});

test("stations without links stand somewhere", () => {
  const core = [{ name: "A", kind: "cc" }, { name: "B", kind: "gateway" }];
  const p = stress(distances(core, []), core);
  assert.ok(p.every(({ x, y }) => Number.isFinite(x) && Number.isFinite(y)));
  assert.ok(layout({ nodes: [{ name: "A", kind: "cc" }], links: [] }, 700, 400).places.get("A"));
});

test("an area's hull holds its stations", () => {
  const scene = wheel();
  const { places } = layout(scene, 780, 400);
  for (const { area, points } of hulls(scene, places)) {
    for (const n of scene.nodes.filter((x) => x.area === area)) assert.ok(inside(points, places.get(n.name)), `${n.name} in ${area}`);
  }
});

function inside(points, { x, y }) {
  return points.every(([ax, ay], i) => {
    const [bx, by] = points[(i + 1) % points.length];
    return (bx - ax) * (y - ay) - (by - ay) * (x - ax) >= -1e-6;
  });
}
