// A photovoltaic plant under clouds that follow from the run's seed: pv.go in
// JavaScript.
//
//     cosim run federates/ws/examples/pv/pv.yaml
//     node federates/ws/examples/pv/pv.mjs

import { Federate, run, vector } from "../../javascript/cosim-federate.mjs";

const word = (z) => BigInt.asUintN(64, z);

class PV extends Federate {
  stepNS = 100_000_000;
  outputs = [vector("power", "MW", ["bus/20"])];

  peakMW = 200; cloudDepth = 0.7; cloudS = 8;

  start(welcome) { this.random = welcome.seed; }

  initial() {
    this.x = this.uniform();
    this.scheduled = this.output();
    return {};
  }

  step(t, inputs) {
    const keep = this.cloudS / (this.cloudS + this.stepNS / 1e9);
    this.x = keep * this.x + Math.sqrt(1 - keep * keep) * this.uniform();
    return { power: [this.output() - this.scheduled] };
  }

  output() {
    const cloud = 0.5 + 0.5 * this.x / Math.sqrt(1 + this.x * this.x);
    return this.peakMW * (1 - this.cloudDepth * cloud);
  }

  /** Draws a number with mean 0 and variance 1 (SplitMix64). */
  uniform() {
    let z = this.random = word(this.random + 0x9e3779b97f4a7c15n);
    z = word((z ^ z >> 30n) * 0xbf58476d1ce4e5b9n);
    z = word((z ^ z >> 27n) * 0x94d049bb133111ebn);
    z ^= z >> 31n;
    return (Number(z >> 11n) / 2 ** 52 - 1) * Math.sqrt(3);
  }
}

const url = process.env.COSIM_URL ?? "ws://127.0.0.1:8765/v1/federates/pv";
await run(url, new PV(), { token: process.env.COSIM_TOKEN });
