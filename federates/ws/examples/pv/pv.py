"""A photovoltaic plant under clouds that follow from the run's seed: pv.go in Python.

    cosim run federates/ws/examples/pv/pv.yaml
    PYTHONPATH=federates/ws/python python3 federates/ws/examples/pv/pv.py
"""

import math
import os

from cosim_federate import Federate, run, vector

MASK = (1 << 64) - 1


class PV(Federate):
    step_ns = 100_000_000
    outputs = [vector("power", "MW", ["bus/20"])]

    peak_mw, cloud_depth, cloud_s = 200.0, 0.7, 8.0

    def start(self, welcome):
        self.random = welcome["seed"]

    def initial(self):
        self.x = self.uniform()
        self.scheduled = self.output()
        return {}

    def step(self, t, inputs):
        keep = self.cloud_s / (self.cloud_s + self.step_ns / 1e9)
        self.x = keep * self.x + math.sqrt(1 - keep * keep) * self.uniform()
        return {"power": [self.output() - self.scheduled]}

    def output(self):
        cloud = 0.5 + 0.5 * self.x / math.sqrt(1 + self.x * self.x)
        return self.peak_mw * (1 - self.cloud_depth * cloud)

    def uniform(self):
        """Draw a number with mean 0 and variance 1 (SplitMix64)."""
        self.random = (self.random + 0x9E3779B97F4A7C15) & MASK
        z = self.random
        z = ((z ^ z >> 30) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ z >> 27) * 0x94D049BB133111EB) & MASK
        z ^= z >> 31
        return ((z >> 11) / (1 << 52) - 1) * math.sqrt(3)


url = os.environ.get("COSIM_URL", "ws://127.0.0.1:8765/v1/federates/pv")
run(url, PV(), token=os.environ.get("COSIM_TOKEN"))
