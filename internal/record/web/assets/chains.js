// The chains, a cell each: how it is protected, which way it goes, whether it
// fails.

import { $, make, say, set } from "./dom.js";
import { many } from "./format.js";
import { causeName, modeName } from "./words.js";

const failedFor = 5; // s that a failure is shown
const roomy = 100; // chains; more are drawn smaller

/** Chains draws the chains of a store. */
export class Chains {
  constructor() {
    const cell = (cls, text, name) => make("span", {}, make("i", { class: `chain ${cls}`, text }), document.createTextNode(name));
    $("chain-key").replaceChildren(
      cell("otp", "1", "OTP"), cell("aes-wc", "1", "AES-WC"), cell("aes", "1", "AES"), cell("off", "1", "off"),
      cell("otp route-1", "1", "other route"), cell("otp failing", "1", "failed just now"),
    );
  }

  /** begin makes the cells, a row a task. */
  begin(scene) {
    const tasks = [...new Set(scene.chains.map((c) => c.task))];
    this.cells = [];
    $("strip").classList.toggle("dense", scene.chains.length > roomy);
    $("strip").replaceChildren(...tasks.map((task) => {
      const row = make("div", { class: "row", role: "list", "aria-label": task });
      scene.chains.forEach((c, i) => {
        if (c.task !== task) return;
        this.cells[i] = make("i", { class: "chain", role: "listitem", text: c.element.replace(/^[a-z]+\//, "") });
        row.append(this.cells[i]);
      });
      const sum = make("small", { class: "sum" });
      row.tally = { sum, chains: scene.chains.flatMap((c, i) => (c.task === task ? [i] : [])) };
      return make("div", { class: "task" }, make("b", { text: task === "interrogation" ? "interrog." : task, title: task }), row, sum);
    }));
    this.rows = [...$("strip").querySelectorAll(".row")];
  }

  /** update draws the chains as they are. */
  update(store) {
    store.chains.forEach((now, i) => {
      const chain = store.scene.chains[i];
      const failing = now.failed > 0 && !now.off && now.cause !== "deactivated" && store.t - now.failed_at_s < failedFor;
      set(this.cells[i], "class", ["chain", now.off ? "off" : now.mode, now.route > 0 && !now.off && `route-${Math.min(now.route, 2)}`, failing && "failing"].filter(Boolean).join(" "));
      const text = `${chain.id}: ${now.off ? "off" : modeName(now.mode)}, ${(chain.routes[now.route] ?? []).join(" → ")}` +
        (now.failed ? `; ${many(now.failed, "task")} failed, the last at ${now.failed_at_s.toFixed(1)} s (${causeName(now.cause)})` : "");
      set(this.cells[i], "title", text);
      set(this.cells[i], "aria-label", text);
    });
    for (const row of this.rows) {
      const counts = {};
      for (const i of row.tally.chains) {
        const what = store.chains[i].off ? "off" : modeName(store.chains[i].mode);
        counts[what] = (counts[what] ?? 0) + 1;
      }
      say(row.tally.sum, Object.entries(counts).sort().map(([what, n]) => `${n} ${what}`).join(" "));
    }
  }
}
