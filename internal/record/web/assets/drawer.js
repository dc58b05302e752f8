// What a person lets befall the run: forms for the link or the bus selected.

import { post } from "./api.js";
import { $, make, say } from "./dom.js";
import { bits, link as linkName, many } from "./format.js";
import { traffic } from "./store.js";

/** Drawer shows the forms for what is selected. */
export class Drawer {
  constructor(close) {
    this.box = $("drawer");
    this.close = close;
    this.box.addEventListener("keydown", (e) => e.key === "Escape" && this.close());
  }

  /** show opens it for a link or a bus, or closes it. */
  show(what, store) {
    this.what = what;
    this.store = store;
    this.box.hidden = !what;
    $("hint").hidden = $("key").hidden = Boolean(what);
    if (!what) return;
    this.facts = make("span", { class: "facts" });
    this.answer = make("output", { class: "answer", role: "status" });
    const forms = what.link ? this.linkForms(what.link) : [this.loadForm(what.bus)];
    this.box.replaceChildren(
      make("div", { class: "head" }, make("b", { text: what.link ? `Link ${linkName(what.link)}` : `Station ${what.station}` }), this.facts,
        make("button", { class: "close", "aria-label": "Close", title: "Close (Esc)", text: "✕", onclick: () => this.close() })),
      make("div", { class: "forms" }, ...forms), this.answer,
    );
    this.update(store);
    const ended = store.status?.ended;
    for (const b of this.box.querySelectorAll("form button")) b.disabled = ended;
    if (ended) say(this.answer, "the run has ended");
  }

  /** update shows the facts of what is selected. */
  update(store) {
    if (!this.what) return;
    if (this.what.link) {
      const i = store.scene.links.findIndex((l) => l.name === this.what.link);
      const [l, now] = [store.scene.links[i], store.links[i]];
      say(this.facts, `${l.length_km} km · ${bits(now.bits)} of ${bits(l.cap_bits)} · ${now.state === 1 ? "broken" : `${bits(now.rate_bps)}/s`} · ${many(traffic(store)[l.name], "chain")}`);
      return;
    }
    const node = store.scene.nodes.find((n) => n.name === this.what.station);
    say(this.facts, [node?.area, ...(node?.holds ?? [])].filter(Boolean).join(" · "));
  }

  linkForms(link) {
    const { a, b } = this.store.scene.links.find((l) => l.name === link);
    const kind = choice("attack", "Kind of attack", [["tamper", "tamper with"], ["replay", "replay"], ["inject", "inject"], ["delay", "delay"], ["drop", "drop"]]);
    const attack = this.form("Attack", { kind: "attack", link }, [
      kind, number("percent", "Share of messages, %", 100, 1, 100), document.createTextNode("% of messages"),
      choice("from", "Direction", [["", "both ways"], [a, `from ${a}`], [b, `from ${b}`]]),
      document.createTextNode("for"), number("duration_s", "Duration, s", 30, 0.1, 1e6), document.createTextNode("s"),
    ]);
    attack.change = (body) => {
      const share = body.percent / 100;
      delete body.percent;
      if (body.attack === "inject") body.rate_per_s = Math.max(0.1, 10 * share);
      else body.probability = share;
      if (body.attack === "delay" || body.attack === "replay") body.delay_s = 0.5;
      if (body.attack === "inject") body.keep_bytes = 8;
    };
    const words = attack.querySelectorAll("label")[1].nextSibling;
    kind.querySelector("select").addEventListener("change", (e) => {
      words.textContent = { inject: "% of 10 forged a second", delay: "% of messages by 0.5 s", replay: "% of messages after 0.5 s" }[e.target.value] ?? "% of messages";
    });
    return [
      this.form("Break", { kind: "link-break", link }, [document.createTextNode("the fibre for"), number("duration_s", "Duration, s", 4, 0.1, 1e6), document.createTextNode("s")]),
      this.form("Surge", { kind: "attenuation-surge", link }, [
        document.createTextNode("of"), number("db", "Attenuation, dB", 3, 0.1, 100), document.createTextNode("dB for"),
        number("duration_s", "Duration, s", 60, 0.1, 1e6), document.createTextNode("s"),
      ]),
      attack,
    ];
  }

  loadForm(bus) {
    const form = this.form("Load step", { kind: "load-step" }, [
      document.createTextNode("of"), number("size_mw", "Size, MW", 300, -100000, 100000), document.createTextNode("MW at bus"),
      choice("bus", "Bus", this.store.scene.buses.map((x) => [String(x.id), `${x.id}${x.load_mw ? ` (${Math.round(x.load_mw)} MW)` : ""}`]), String(bus)),
      document.createTextNode("for"), number("duration_s", "Duration, s", 50, 0.1, 1e6), document.createTextNode("s"),
    ]);
    form.change = (body) => { body.bus = Number(body.bus); };
    return form;
  }

  form(name, order, parts) {
    const form = make("form", { onsubmit: (e) => this.send(e, order) }, make("button", { text: name }), ...parts);
    return form;
  }

  async send(event, order) {
    event.preventDefault();
    const body = { ...order };
    for (const field of event.target.elements) {
      if (field.name) body[field.name] = field.type === "number" ? field.valueAsNumber : field.value;
    }
    event.target.change?.(body);
    try {
      const answer = await post(`/v1/runs/${encodeURIComponent(this.store.scene.run)}/disturbances`, body);
      say(this.answer, answer.acts ? `acts ${answer.acts}` : `ordered at ${answer.ordered_at_s} s`);
      this.answer.classList.remove("refused");
    } catch (error) {
      say(this.answer, error.message);
      this.answer.classList.add("refused");
    }
  }
}

function number(name, label, value, min, max) {
  return make("label", { title: label }, make("input", { type: "number", name, value, min, max, step: "any", required: true, "aria-label": label }));
}

function choice(name, label, options, chosen) {
  return make("label", { title: label }, make("select", { name, "aria-label": label },
    ...options.map(([value, text]) => make("option", { value, text, selected: value === chosen }))));
}
