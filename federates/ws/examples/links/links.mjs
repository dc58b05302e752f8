// QKD links outside, in place of the built-in ones: key at measured rates.
//
//     cosim run S-2 --set 'federates=[{name: my-links, replaces: quantum, on_lost: fallback}]'
//     node federates/ws/examples/links/links.mjs

import { Federate, events, run, vector } from "../../javascript/cosim-federate.mjs";

const rates = { // secret key as measured, bit/s
  "CC-GW1": 11_700, "CC-GW2": 13_900, "CC-GW3": 12_200, "CC-GW4": 10_800,
  "GW1-GW2": 4_100, "GW2-GW3": 4_400, "GW3-GW4": 6_200, "GW4-GW1": 4_500,
};
const names = Object.keys(rates), elements = names.map((name) => "link/" + name);

class Links extends Federate {
  stepNS = 100_000_000;
  outputs = [ // those of the built-in federate, in its units
    events("blocks"), events("fibre"), events("events"),
    vector("rate", "bit/s", elements), vector("qber", "1", elements), vector("attenuation", "dB/km", elements),
    vector("key", "bit", elements), vector("up", "s", elements), vector("state", "1", elements),
  ];

  initial() {
    this.rest = Object.fromEntries(names.map((name) => [name, 0])); // what is no whole byte yet, in 1e-9 bit
    return { rate: Object.values(rates), qber: names.map(() => 0.02), attenuation: names.map(() => 0.2) };
  }

  step(t, inputs) {
    const blocks = [], key = [];
    for (const name of names) {
      const all = this.rest[name] + rates[name] * this.stepNS;
      this.rest[name] = all % 8e9;
      const bits = 8 * Math.floor(all / 8e9);
      blocks.push({ at_ns: t, type: "key-block", element: name, value: bits });
      key.push(bits);
    }
    return { blocks, key, up: names.map(() => this.stepNS / 1e9) };
  }
}

const url = process.env.COSIM_URL ?? "ws://127.0.0.1:8765/v1/federates/my-links";
await run(url, new Links(), { token: process.env.COSIM_TOKEN });
