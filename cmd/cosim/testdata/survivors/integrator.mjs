// The integrator of the tests: its answers depend on all that it has heard.
import { Federate, run, vector } from "../../../../federates/ws/javascript/cosim-federate.mjs";

class Integrator extends Federate {
  stepNS = 10_000_000;
  inputs = [vector("frequency", "Hz", ["coi"], { subset: true })];
  outputs = [vector("power", "MW", ["bus/16"])];
  sum = 0;

  step(t, inputs) {
    this.sum += inputs.frequency[0];
    return { power: [-this.sum] };
  }
}

await run(process.env.COSIM_URL, () => new Integrator(), { patience: 60 });
