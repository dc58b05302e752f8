// An under-frequency relay that names its own times: relay.py in JavaScript.
//
//     cosim run federates/ws/examples/relay/relay.yaml
//     node federates/ws/examples/relay/relay.mjs

import { Federate, events, run, vector } from "../../javascript/cosim-federate.mjs";

const lowHz = -0.04, wellHz = -0.01;                   // deviations
const tripNS = 200_000_000, closeNS = 5_000_000_000;   // how long they last

class Relay extends Federate {
  byEvent = true;
  inputs = [vector("frequency", "Hz", ["coi"], { subset: true, wake: { levels: [lowHz, wellHz] } })];
  outputs = [vector("shed", "MW", ["bus/15"]), events("log")];

  stages = 3; stageMW = 40;
  open = 0;    // stages that are
  case = "";   // what the frequency asks for
  since = 0;   // since when, nanoseconds
  acts = 0;

  step(t, inputs) {
    this.acts++;
    const asked = this.asked(inputs.frequency[0]);
    if (asked !== this.case) {
      this.case = asked;
      this.since = t;
    }
    if (asked === "") return {}; // nothing to do until a level is crossed
    const delay = asked === "trip" ? tripNS : closeNS, log = [];
    if (t >= this.since + delay) {
      this.open += asked === "trip" ? 1 : -1;
      this.since = t;
      log.push({ at_ns: t, type: asked, element: "bus/15", value: this.open });
    }
    this.nextNS = this.since + delay;
    return { shed: [this.stageMW * this.open], log };
  }

  asked(hz) {
    if (hz < lowHz && this.open < this.stages) return "trip";
    if (hz >= wellHz && this.open > 0) return "close";
    return "";
  }
}

const relay = new Relay();
const url = process.env.COSIM_URL ?? "ws://127.0.0.1:8765/v1/federates/relay";
await run(url, relay, { token: process.env.COSIM_TOKEN });
console.log(`the run is over; the relay acted ${relay.acts} times, ${relay.open} stages are open`);
