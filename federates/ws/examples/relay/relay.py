"""An under-frequency relay that names its own times.

    cosim run federates/ws/examples/relay/relay.yaml
    PYTHONPATH=federates/ws/python python3 federates/ws/examples/relay/relay.py
"""

import os

from cosim_federate import Federate, events, run, vector

LOW_HZ, WELL_HZ = -0.04, -0.01                # deviations
TRIP_NS, CLOSE_NS = 200_000_000, 5_000_000_000  # how long they last


class Relay(Federate):
    by_event = True
    inputs = [vector("frequency", "Hz", ["coi"], subset=True, wake={"levels": [LOW_HZ, WELL_HZ]})]
    outputs = [vector("shed", "MW", ["bus/15"]), events("log")]

    stages, stage_mw = 3, 40.0
    open = 0      # stages that are
    case = ""     # what the frequency asks for
    since = 0     # since when, nanoseconds
    acts = 0

    def step(self, t, inputs):
        self.acts += 1
        case = self.asked(inputs["frequency"][0])
        if case != self.case:
            self.case, self.since = case, t
        if case == "":
            return {}  # nothing to do until a level is crossed
        delay = TRIP_NS if case == "trip" else CLOSE_NS
        log = []
        if t >= self.since + delay:
            self.open += 1 if case == "trip" else -1
            self.since = t
            log = [{"at_ns": t, "type": case, "element": "bus/15", "value": self.open}]
        self.next_ns = self.since + delay
        return {"shed": [self.stage_mw * self.open], "log": log}

    def asked(self, hz):
        if hz < LOW_HZ and self.open < self.stages:
            return "trip"
        if hz >= WELL_HZ and self.open > 0:
            return "close"
        return ""


relay = Relay()
url = os.environ.get("COSIM_URL", "ws://127.0.0.1:8765/v1/federates/relay")
run(url, relay, token=os.environ.get("COSIM_TOKEN"))
print(f"the run is over; the relay acted {relay.acts} times, {relay.open} stages are open")
