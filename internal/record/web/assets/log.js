// Figures and the log of events.

import { $, make, say } from "./dom.js";
import { bits, count, percent, seconds } from "./format.js";
import { causeName, lateText, words } from "./words.js";

const shown = 200; // entries
const marks = { bad: "✕", good: "✓", warn: "!", hand: "☛", plan: "↷", fail: "▿", note: "·" };

/** Log shows the events of a store, the newest first. */
export class Log {
  constructor() {
    this.list = $("events");
    for (const id of ["show-plan", "show-failures"]) $(id).addEventListener("change", () => this.store && this.begin(this.store));
  }

  /** begin shows what there is. */
  begin(store) {
    this.store = store;
    this.list.replaceChildren();
    this.add(store.entries);
  }

  /** add shows new entries. */
  add(entries) {
    const wanted = entries.filter((e) => (e.type !== "plan" || $("show-plan").checked) && (e.type !== "failures" || $("show-failures").checked));
    const items = wanted.slice(-shown).map((e) => {
      const { text, mark } = words(e, this.store.scene);
      const item = make("li", { class: e.alert ? `alert ${mark}` : mark }, make("time", { text: e.t.toFixed(2) }), make("i", { text: marks[mark], "aria-hidden": "true" }),
        make("span", {}, e.alert && make("b", { class: e.over ? "over" : "", text: e.over ? "alert over" : "alert" }), document.createTextNode(text)));
      item.at = e.t;
      return item;
    });
    for (const item of items) this.list.insertBefore(item, this.place(item.at));
    while (this.list.children.length > shown) this.list.lastChild.remove();
  }

  // place is the entry before which one of time t stands: the return of the
  // frequency is told when it has lasted.
  place(t) {
    let next = this.list.firstChild;
    while (next && next.at > t) next = next.nextSibling;
    return next;
  }
}

/** Figures shows those of the run so far. */
export class Figures {
  constructor() {
    this.tiles = new Map();
    for (const [id, name, title] of [
      ["success", "Task success", "P_succ: tasks that succeeded, of those decided"], ["frequency", "Δf max", "largest deviation of the centre of inertia"],
      ["use", "Key use", "key used of that generated, links at the control centre"], ["lowest", "Lowest pool", "least key in any pool so far"],
      ["decisions", "Decisions", "reconfigurations of all chains, those proven within 1 % of the best, those in which a chance constraint gave way, those that were late: longer than their period on the wall clock, or ended by the clock"], ["attacks", "Adversary", "messages attacked so far"],
    ]) {
      const [value, note] = [make("b", { text: "–" }), make("small")];
      this.tiles.set(id, { value, note });
      $("figures").append(make("div", { class: "tile", id: `tile-${id}`, title }, make("span", { text: name }), value, note));
    }
  }

  update({ figures: f, scene }) {
    if (!f) return;
    const failed = f.decided - f.succeeded;
    const why = Object.entries(f.causes).sort((a, b) => b[1] - a[1]).map(([cause, n]) => `${causeName(cause)} ${count(n)}`).join(", ");
    this.tell("success", f.decided ? percent(f.succeeded / f.decided) : "–",
      f.decided ? `strict ${percent(f.strict / f.decided)} · ${failed ? `${count(failed)} failed: ${why}` : `none of ${count(f.decided)} failed`}` : "", "");
    this.tell("frequency", `${f.df_max_hz.toFixed(3)} Hz`, `at ${seconds(f.df_max_at_s)} · Δf_safe ${scene.safe_hz.toFixed(3)}`, f.df_max_hz > scene.safe_hz ? "over" : "");
    this.tell("use", f.made_centre ? (f.used_centre / f.made_centre).toFixed(2) : "–", f.made_all ? `at the centre · all links ${(f.used_all / f.made_all).toFixed(2)}` : "", "");
    const pool = scene.links.find((l) => l.name === f.lowest);
    this.tell("lowest", pool ? bits(f.lowest_bits) : "–", pool ? `${f.lowest} at ${seconds(f.lowest_at_s)} · K_safe ${bits(pool.safe_bits)}` : "", pool && f.lowest_bits < pool.safe_bits ? "over" : "");
    this.tell("decisions", scene.decision_ns ? count(f.decisions) : "none", scene.decision_ns
      ? `${percent(f.proven / Math.max(1, f.decisions))} within 1 % · ${count(f.relaxed)} relaxed · ${lateText(f)}` : "the plan stands", "",
      f.cut ? `${count(f.late)} took longer than their period, ${count(f.cut)} were ended by the clock` : "");
    const attacks = (f.attack_kinds ?? []).map((kind, i) => [kind, f.attacks[i]]).filter(([, n]) => n > 0);
    const total = attacks.reduce((sum, [, n]) => sum + n, 0);
    this.tell("attacks", count(total), total ? attacks.map(([kind, n]) => `${count(n)} ${kind}`).join(", ") : "no message attacked", "");
  }

  tell(id, value, note, mark, more = "") {
    const tile = this.tiles.get(id);
    say(tile.value, value);
    say(tile.note, note);
    tile.note.title = [note, more].filter(Boolean).join(": ");
    tile.value.parentNode.classList.toggle("over", mark === "over");
  }
}
