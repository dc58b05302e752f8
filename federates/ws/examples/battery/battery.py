"""A battery that supports the frequency: battery.go in Python.

    cosim run federates/ws/examples/battery/battery.yaml
    PYTHONPATH=federates/ws/python python3 federates/ws/examples/battery/battery.py
"""

import os

from cosim_federate import Federate, run, vector


class Battery(Federate):
    step_ns = 100_000_000
    inputs = [vector("frequency", "Hz", ["coi"], subset=True)]
    outputs = [vector("power", "MW", ["bus/16"]), vector("stored", "MWh", ["battery"])]

    power_mw, energy_mwh = 100.0, 50.0  # rated
    gain, dead_band = 2000.0, 0.01      # MW/Hz, Hz
    lag_s = 0.2

    power, stored = 0.0, 25.0  # now

    def start(self, welcome):
        print("in run", welcome["run"])

    def initial(self):
        return {"stored": [self.stored]}

    def step(self, t, inputs):
        dt = self.step_ns / 1e9
        deviation = inputs["frequency"][0]
        target = 0.0
        if abs(deviation) > self.dead_band:
            target = max(-self.power_mw, min(self.power_mw, -self.gain * deviation))
        self.power += (target - self.power) * (dt / (self.lag_s + dt))
        # What is left, and what room is left, bounds the power of this step.
        most, least = self.stored * 3600 / dt, (self.stored - self.energy_mwh) * 3600 / dt
        self.power = max(least, min(most, self.power))
        self.stored -= self.power * dt / 3600
        return {"power": [self.power], "stored": [self.stored]}


battery = Battery()
url = os.environ.get("COSIM_URL", "ws://127.0.0.1:8765/v1/federates/battery")
run(url, battery, token=os.environ.get("COSIM_TOKEN"))
print(f"the run is over; {battery.stored:.1f} MWh stored")
