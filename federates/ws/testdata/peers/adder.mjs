// The adder of the tests, in JavaScript; with a word it does one thing wrong, or is
// the relay.

import { readFileSync } from "node:fs";
import { Federate, events, messages, run, vector } from "../../javascript/cosim-federate.mjs";

const ab = ["a", "b"];

class Adder extends Federate {
  stepNS = 10_000_000;
  inputs = [vector("in", "MW", ab, { optional: true }), messages("mail", { optional: true }), events("news", { direct: true, optional: true })];
  outputs = [vector("out", "MW", ab), messages("mail"), events("news")];
  state = 0;
  sent = 0;

  start(welcome) {
    if (wrong === "start") throw new Error("no licence");
    console.log("seed", String(welcome.seed), "droop", welcome.parameters.droop);
  }

  initial() { return { out: [1 / 3, 0], ...this.emit(0) }; }

  async step(t, inputs) {
    if (inputs.in) {
      const v = inputs.in;
      this.state = 0.9 * v[0] + 0.1 * this.state + v[1] / 7;
    }
    for (const m of inputs.mail) this.state += (m.id + m.payload.length) / 1e3;
    for (const e of inputs.news) this.state -= e.value / 1e5;
    this.state += 1;
    const made = { out: [this.state / 2, -this.state / 3], ...this.emit(t + Math.floor(this.stepNS / 3)) };
    if (t === 50_000_000) spoil(made);
    return t === 50_000_000 && wrong === "number" ? 5 : made;
  }

  emit(at) {
    this.sent++;
    return {
      mail: [{ at_ns: at, id: this.sent, from: name, to: "x>y", class: "pmu", payload: Uint8Array.of(0, 255, this.sent & 255) }],
      news: [{ at_ns: at, type: "step", element: name, value: this.state, detail: 'µ "quoted"' }],
    };
  }

  close() { console.log("closed"); }
}

function spoil(made) {
  switch (wrong) {
    case "nan": made.out[1] = NaN; break;
    case "short": made.out = [1]; break;
    case "word": made.out[0] = "1"; break;
    case "port": made.power = [1]; break;
    case "late": made.mail[0].at_ns = 60_000_000; break;
    case "key": made.news[0].values = 1; break;
    case "infinite": made.news[0].value = Infinity; break;
    case "text": made.mail[0].payload = "AAA="; break;
    case "raise": throw new Error("no licence");
  }
}

const url = process.env.COSIM_URL, wrong = process.argv[2] ?? "";
const name = url.split("/").pop();
const tls = process.env.COSIM_CA ? { ca: readFileSync(process.env.COSIM_CA) } : undefined;
const webSocket = process.env.COSIM_BROWSER ? globalThis.WebSocket : undefined;
const federate = wrong.startsWith("relay") ? new (await import("./relay.mjs")).Relay(wrong) : new Adder();
console.log(await run(url, federate, { token: process.env.COSIM_TOKEN, tls, patience: Number(process.env.COSIM_PATIENCE ?? 10), webSocket }));
