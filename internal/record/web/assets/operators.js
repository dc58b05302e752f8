// How several operators fare: key fairness, and a tile each.

import { $, make, say } from "./dom.js";
import { count, percent, seconds } from "./format.js";

const colours = 6; // those of the charts, in the order of the report's

/** Operators shows those of a store; nothing where there is one. */
export class Operators {
  /** begin makes the tiles. */
  begin({ operators = [] }) {
    $("operators").hidden = operators.length === 0;
    this.index = tile("Key fairness F_K", "Jain's index of the operators' key shares s_a: 1 if all are equal");
    this.index.note = make("small");
    this.index.tile.append(this.index.note);
    this.own = operators.map((name, i) => operator(name, i));
    $("operators").replaceChildren(this.index.tile, ...this.own.map((o) => o.tile));
  }

  update({ figures, scene }) {
    const f = figures?.fairness;
    if (!f) return;
    say(this.index.value, f.index.toFixed(3));
    say(this.index.note, `mean ${f.mean.toFixed(3)} · lowest ${f.lowest.toFixed(3)} at ${seconds(f.lowest_at_s)}`);
    f.operators.forEach((now, i) => {
      const o = this.own[i];
      const failed = now.decided - now.succeeded;
      say(o.value, now.decided ? percent(now.succeeded / now.decided) : "–");
      o.tile.title = `${scene.operators[i]}: ${failed ? `${count(failed)} of ` : "none of "}${count(now.decided)} tasks failed so far; s_a: key granted of that asked for in the last 10 s`;
      say(o.share, now.share.toFixed(2));
      o.bar.style.width = `${100 * now.share}%`;
    });
  }
}

function tile(name, title) {
  const value = make("b", { text: "–" });
  return { value, tile: make("div", { class: "tile", title }, make("span", { text: name }), value) };
}

function operator(name, i) {
  const value = make("b", { text: "–" });
  const share = make("em", { text: "–" });
  const bar = make("i");
  const shape = make("div", { class: `tile operator own-${1 + (i % colours)}` },
    make("span", {}, make("strong", { text: name }), document.createTextNode(" task success")), value,
    make("small", {}, document.createTextNode("key share s_a"), make("span", { class: "bar" }, bar), share));
  return { value, share, bar, tile: shape };
}
