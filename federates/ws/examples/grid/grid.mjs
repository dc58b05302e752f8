// The 39-bus system as one mass, in place of the built-in grid.
//
//     cosim run federates/ws/examples/grid/grid.yaml
//     node federates/ws/examples/grid/grid.mjs

import { Federate, events, run, vector } from "../../javascript/cosim-federate.mjs";

const units = { // power at the start, MW; rating of the governor, MVA
  "gen/30": [250, 1000], "gen/31": [677.871, 700], "gen/32": [650, 800], "gen/33": [632, 800], "gen/34": [508, 600],
  "gen/35": [650, 800], "gen/36": [560, 700], "gen/37": [540, 700], "gen/38": [830, 1000], "gen/39": [1000, 1100],
};
const gens = Object.keys(units);
const buses = Array.from({ length: 39 }, (_, i) => `bus/${i + 1}`);
const pmus = [4, 16, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39].map((i) => `pmu/${i}`);
const blocks = [4, 8, 15, 20, 16, 24, 3, 29].map((i) => `block/${i}`);
const all = (names, value) => new Map(names.map((name) => [name, value]));

/** A turbine with its governor; powers are deviations in MW. */
class Unit {
  tValve = 0.2; tLead = 2.1; tReheat = 7.0; // s
  droop = 0.05 * 60;                        // Hz
  setPoint = 0; valve = 0; reheat = 0;

  constructor([start, rating]) {
    this.start = start;
    this.gain = rating / this.droop;
  }

  step(dt, frequency) {
    this.valve += dt / this.tValve * (this.setPoint - this.gain * frequency - this.valve);
    this.reheat += dt / this.tReheat * ((1 - this.tLead / this.tReheat) * this.valve - this.reheat);
  }

  power() { return this.reheat + this.tLead / this.tReheat * this.valve; }
}

class Grid extends Federate {
  stepNS = 10_000_000;
  inputs = [events("orders", { direct: true })];
  outputs = [ // those of the built-in federate, in its units
    vector("frequency", "Hz", ["coi", ...gens]), vector("bus_frequency", "Hz", buses), vector("bus_voltage", "pu", buses),
    vector("pmu_frequency", "Hz", pmus), vector("pmu_voltage", "pu", pmus), vector("mechanical", "MW", gens),
    vector("reserve", "MW", blocks), vector("balance", "MW", ["residual"]), events("events"),
  ];

  inertia = 2 * 78_270 / 60; // MW s/Hz, of all machines
  damping = 8_200 / 60;      // MW/Hz, of machines and load
  capacity = 89.0825;        // MW, of a block

  start({ parameters: p }) {
    this.loadMW = Number(p.load_mw);
    this.fromNS = Number(p.from_s) * 1e9;
    this.toNS = Number(p.to_s) * 1e9;
    this.units = new Map(gens.map((name) => [name, new Unit(units[name])]));
    this.voltage = all(buses, 1);
    this.called = all(blocks, 0);
    this.frequency = this.load = 0; // deviations, Hz and MW
    this.waiting = [];
  }

  initial() { return this.publish([]); }

  step(t, inputs) {
    const said = [];
    this.disturb(t, said);
    // An order acts in the first step that begins at or after its arrival.
    const orders = [...this.waiting, ...inputs.orders];
    this.waiting = orders.filter((order) => order.at_ns > t);
    for (const order of orders) {
      if (order.at_ns <= t) this.obey(t, order, said);
    }
    const dt = this.stepNS / 1e9;
    let power = -this.load - this.damping * this.frequency;
    for (const unit of this.units.values()) {
      unit.step(dt, this.frequency);
      power += unit.power();
    }
    for (const called of this.called.values()) power += called;
    this.frequency += dt / this.inertia * power;
    return this.publish(said);
  }

  disturb(t, said) {
    if (t === this.fromNS) {
      this.load = this.loadMW;
      said.push({ at_ns: t, type: "load-step", element: "bus/15", value: this.loadMW });
    }
    if (t === this.toNS) {
      this.load = 0;
      this.called = all(blocks, 0); // the reserve returns with the load
      said.push({ at_ns: t, type: "load-step-end", element: "bus/15", value: -this.loadMW });
    }
  }

  obey(t, { type, element, value }, said) {
    if (type === "agc" && this.units.has(element)) {
      this.units.get(element).setPoint = value;
    } else if (type === "avr" && this.units.has(element)) {
      this.voltage.set(element.replace("gen/", "bus/"), 1 + value);
    } else if (type === "shed" && this.called.has(element)) {
      this.called.set(element, Math.max(0, Math.min(this.capacity, value)));
    } else { // one mass has no branches
      said.push({ at_ns: t, type: "order-refused", element, value });
    }
  }

  publish(said) {
    const units = [...this.units.values()];
    return {
      frequency: Array(1 + gens.length).fill(this.frequency),
      bus_frequency: Array(buses.length).fill(this.frequency),
      pmu_frequency: Array(pmus.length).fill(60 + this.frequency),
      bus_voltage: [...this.voltage.values()],
      pmu_voltage: pmus.map((pmu) => this.voltage.get(pmu.replace("pmu/", "bus/"))),
      mechanical: units.map((unit) => unit.start + unit.power()),
      reserve: [...this.called.values()],
      events: said,
    };
  }
}

const url = process.env.COSIM_URL ?? "ws://127.0.0.1:8765/v1/federates/my-grid";
await run(url, new Grid(), { token: process.env.COSIM_TOKEN });
