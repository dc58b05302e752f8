// The event-stepped relay of the tests, in JavaScript; it may name a wrong time.

import { Federate, events, messages, vector } from "../../javascript/cosim-federate.mjs";

const mistakes = { "relay-past": 1, "relay-fraction": 3e7 + 0.5, "relay-huge": 2 ** 63 };

export class Relay extends Federate {
  byEvent = true;
  inputs = [
    vector("v", "MW", ["a", "b"], { direct: true, wake: { elements: ["a"], levels: [2, 2.5, 3] } }),
    messages("mail"), events("orders", { wake: true }),
  ];
  outputs = [vector("trip", "MW", ["a", "b"]), messages("mail"), events("orders")];
  state = 0;
  sent = 0;

  constructor(wrong) {
    super();
    this.wrong = mistakes[wrong];
  }

  initial() { return { trip: [0, -1] }; }

  step(t, inputs) {
    this.state = 0.5 * this.state + inputs.v[0] + inputs.mail.length / 4;
    for (const e of inputs.orders) this.state += e.value / 8;
    if (this.woken) this.state += 1;
    this.sent++;
    const k = Math.floor(this.state * 7);
    if (k % 5) this.nextNS = t + 1 + k % 70 * 1_000_000;
    if (this.wrong !== undefined && t > 0) this.nextNS = this.wrong;
    const made = {
      mail: [{ at_ns: t + 1, id: this.sent, payload: Uint8Array.of(k & 255) }],
      orders: k % 2 ? [{ at_ns: t + 2, type: "k", value: this.state }] : [],
    };
    if (k % 4) made.trip = [this.state, k];
    return made;
  }
}
