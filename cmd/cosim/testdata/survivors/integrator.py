"""The integrator of the tests: its answers depend on all that it has heard."""

import os

from cosim_federate import Federate, run, vector


class Integrator(Federate):
    step_ns = 10_000_000
    inputs = [vector("frequency", "Hz", ["coi"], subset=True)]
    outputs = [vector("power", "MW", ["bus/16"])]
    sum = 0.0

    def step(self, t, inputs):
        self.sum += inputs["frequency"][0]
        return {"power": [-self.sum]}


run(os.environ["COSIM_URL"], Integrator, patience=60)
