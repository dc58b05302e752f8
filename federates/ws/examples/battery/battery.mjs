// A battery that supports the frequency: battery.go in JavaScript.
//
//     cosim run federates/ws/examples/battery/battery.yaml
//     node federates/ws/examples/battery/battery.mjs

import { Federate, run, vector } from "../../javascript/cosim-federate.mjs";

class Battery extends Federate {
  stepNS = 100_000_000;
  inputs = [vector("frequency", "Hz", ["coi"], { subset: true })];
  outputs = [vector("power", "MW", ["bus/16"]), vector("stored", "MWh", ["battery"])];

  powerMW = 100; energyMWh = 50;   // rated
  gain = 2000; deadBand = 0.01;    // MW/Hz, Hz
  lagS = 0.2;

  power = 0; stored = 25;          // now

  start(welcome) { console.log("in run", welcome.run); }

  initial() { return { stored: [this.stored] }; }

  step(t, inputs) {
    const dt = this.stepNS / 1e9;
    const deviation = inputs.frequency[0];
    let target = 0;
    if (Math.abs(deviation) > this.deadBand) {
      target = Math.max(-this.powerMW, Math.min(this.powerMW, -this.gain * deviation));
    }
    this.power += (target - this.power) * (dt / (this.lagS + dt));
    // What is left, and what room is left, bounds the power of this step.
    const most = this.stored * 3600 / dt, least = (this.stored - this.energyMWh) * 3600 / dt;
    this.power = Math.max(least, Math.min(most, this.power));
    this.stored -= this.power * dt / 3600;
    return { power: [this.power], stored: [this.stored] };
  }
}

const battery = new Battery();
const url = process.env.COSIM_URL ?? "ws://127.0.0.1:8765/v1/federates/battery";
await run(url, battery, { token: process.env.COSIM_TOKEN });
console.log(`the run is over; ${battery.stored.toFixed(1)} MWh stored`);
