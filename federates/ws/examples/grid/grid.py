"""The 39-bus system as one mass, in place of the built-in grid.

    cosim run federates/ws/examples/grid/grid.yaml
    PYTHONPATH=federates/ws/python python3 federates/ws/examples/grid/grid.py
"""

import os

from cosim_federate import Federate, events, run, vector

UNITS = {  # power at the start, MW; rating of the governor, MVA
    "gen/30": (250, 1000), "gen/31": (677.871, 700), "gen/32": (650, 800), "gen/33": (632, 800), "gen/34": (508, 600),
    "gen/35": (650, 800), "gen/36": (560, 700), "gen/37": (540, 700), "gen/38": (830, 1000), "gen/39": (1000, 1100),
}
BUSES = [f"bus/{i}" for i in range(1, 40)]
PMUS = [f"pmu/{i}" for i in (4, 16, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39)]
BLOCKS = [f"block/{i}" for i in (4, 8, 15, 20, 16, 24, 3, 29)]


class Unit:
    """A turbine with its governor; powers are deviations in MW."""

    t_valve, t_lead, t_reheat = 0.2, 2.1, 7.0  # s
    droop = 0.05 * 60                          # Hz

    def __init__(self, start, rating):
        self.start, self.gain = start, rating / self.droop
        self.set_point = self.valve = self.reheat = 0.0

    def step(self, dt, frequency):
        self.valve += dt / self.t_valve * (self.set_point - self.gain * frequency - self.valve)
        self.reheat += dt / self.t_reheat * ((1 - self.t_lead / self.t_reheat) * self.valve - self.reheat)

    def power(self):
        return self.reheat + self.t_lead / self.t_reheat * self.valve


class Grid(Federate):
    step_ns = 10_000_000
    inputs = [events("orders", direct=True)]
    outputs = [  # those of the built-in federate, in its units
        vector("frequency", "Hz", ["coi", *UNITS]), vector("bus_frequency", "Hz", BUSES), vector("bus_voltage", "pu", BUSES),
        vector("pmu_frequency", "Hz", PMUS), vector("pmu_voltage", "pu", PMUS), vector("mechanical", "MW", UNITS),
        vector("reserve", "MW", BLOCKS), vector("balance", "MW", ["residual"]), events("events"),
    ]

    inertia = 2 * 78_270 / 60  # MW s/Hz, of all machines
    damping = 8_200 / 60       # MW/Hz, of machines and load
    capacity = 89.0825         # MW, of a block

    def start(self, welcome):
        p = {name: float(value) for name, value in welcome["parameters"].items()}
        self.load_mw, self.from_ns, self.to_ns = p["load_mw"], p["from_s"] * 1e9, p["to_s"] * 1e9
        self.units = {name: Unit(*rated) for name, rated in UNITS.items()}
        self.voltage = dict.fromkeys(BUSES, 1.0)
        self.called = dict.fromkeys(BLOCKS, 0.0)
        self.frequency = self.load = 0.0  # deviations, Hz and MW
        self.waiting = []

    def initial(self):
        return self.publish([])

    def step(self, t, inputs):
        said = []
        self.disturb(t, said)
        # An order acts in the first step that begins at or after its arrival.
        orders, self.waiting = self.waiting + inputs["orders"], []
        for order in orders:
            if order["at_ns"] > t:
                self.waiting.append(order)
            else:
                self.obey(t, order, said)
        dt = self.step_ns / 1e9
        power = -self.load - self.damping * self.frequency
        for unit in self.units.values():
            unit.step(dt, self.frequency)
            power += unit.power()
        for called in self.called.values():
            power += called
        self.frequency += dt / self.inertia * power
        return self.publish(said)

    def disturb(self, t, said):
        if t == self.from_ns:
            self.load = self.load_mw
            said.append({"at_ns": t, "type": "load-step", "element": "bus/15", "value": self.load_mw})
        if t == self.to_ns:
            self.load = 0.0
            self.called = dict.fromkeys(BLOCKS, 0.0)  # the reserve returns with the load
            said.append({"at_ns": t, "type": "load-step-end", "element": "bus/15", "value": -self.load_mw})

    def obey(self, t, order, said):
        kind, element, value = order["type"], order["element"], order["value"]
        if kind == "agc" and element in self.units:
            self.units[element].set_point = value
        elif kind == "avr" and element in self.units:
            self.voltage[element.replace("gen/", "bus/")] = 1 + value
        elif kind == "shed" and element in self.called:
            self.called[element] = max(0.0, min(self.capacity, value))
        else:  # one mass has no branches
            said.append({"at_ns": t, "type": "order-refused", "element": element, "value": value})

    def publish(self, said):
        return {
            "frequency": [self.frequency] * (1 + len(UNITS)),
            "bus_frequency": [self.frequency] * len(BUSES),
            "pmu_frequency": [60 + self.frequency] * len(PMUS),
            "bus_voltage": self.voltage.values(),
            "pmu_voltage": [self.voltage[pmu.replace("pmu/", "bus/")] for pmu in PMUS],
            "mechanical": [unit.start + unit.power() for unit in self.units.values()],
            "reserve": self.called.values(),
            "events": said,
        }


url = os.environ.get("COSIM_URL", "ws://127.0.0.1:8765/v1/federates/my-grid")
run(url, Grid(), token=os.environ.get("COSIM_TOKEN"))
