"""Two simulators that speak mosaik's low-level API, by the standard library alone.

    simulators.py pv 127.0.0.1:5555              connects, as mosaik's commands do
    simulators.py switch --listen 127.0.0.1:0    waits, and prints its address

pv is time-based: plants whose power ramps up, steps of their own size.
switch is event-based: it sheds load in stages while the frequency deviates to below a limit, asks
back for progress and data, and sets an event.
"""

import json
import socket
import struct
import sys
import traceback

REQUEST, SUCCESS, FAILURE = 0, 1, 2


class Connection:
    def __init__(self, sock, simulator):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.file = sock.makefile("rwb")
        self.simulator = simulator
        self.last_id = 0
        simulator.ask = self.ask

    def send(self, *message):
        payload = json.dumps(message).encode()
        self.file.write(struct.pack(">I", len(payload)) + payload)
        self.file.flush()

    def receive(self):
        header = self.file.read(4)
        if len(header) < 4:
            raise SystemExit("the master has gone")
        return json.loads(self.file.read(struct.unpack(">I", header)[0]))

    def ask(self, function, *args):
        """Makes a request of its own while the master waits."""
        self.last_id += 1
        self.send(REQUEST, self.last_id, [function, args, {}])
        kind, number, content = self.receive()
        assert number == self.last_id
        if kind == FAILURE:
            raise RuntimeError(content)
        return content

    def serve(self):
        while True:
            kind, number, (function, args, kwargs) = self.receive()
            assert kind == REQUEST
            if function == "stop":
                return
            try:
                result = getattr(self.simulator, function)(*args, **kwargs)
                self.send(SUCCESS, number, result)
            except Exception:
                self.send(FAILURE, number, traceback.format_exc())


class PV:
    def init(self, sid, time_resolution, step_size=1, fails_at=None):
        self.fails_at = fails_at
        self.sid, self.resolution, self.step_size = sid, time_resolution, step_size
        self.plants, self.power = {}, {}
        return {
            "api_version": "3.0",
            "type": "time-based",
            "models": {
                "PV": {"public": True, "params": ["peak_mw", "ramp_s"], "attrs": ["P", "limit"]},
                "Panel": {"public": False, "params": [], "attrs": ["T"]},
            },
            "extra_methods": [],
        }

    def create(self, num, model, peak_mw, ramp_s=10.0):
        made = []
        for _ in range(num):
            eid = f"PV-{len(self.plants)}"
            self.plants[eid] = (peak_mw, ramp_s)
            self.power[eid] = 0.0
            made.append({"eid": eid, "type": model, "rel": [], "children": [{"eid": eid + ".panel", "type": "Panel"}]})
        return made

    def setup_done(self):
        return None

    def step(self, time, inputs, max_advance):
        if time == self.fails_at:
            raise RuntimeError("no sun")
        seconds = time * self.resolution
        for eid, (peak, ramp) in self.plants.items():
            limits = inputs.get(eid, {}).get("limit", {"nobody": 1.0})
            self.power[eid] = peak * min(1.0, seconds / ramp) * min(limits.values())
        return time + self.step_size

    def get_data(self, outputs):
        values = lambda eid: {"P": self.power.get(eid), "T": 25.0 + self.power.get(eid[: -len(".panel")], 0.0)}
        return {eid: {a: values(eid)[a] for a in attrs} for eid, attrs in outputs.items()}


class Switch:
    def init(self, sid, time_resolution, low_hz=-0.05, armed_at=0):
        self.armed_at = armed_at
        self.sid, self.low_hz, self.on = sid, low_hz, 0.0
        return {
            "api_version": "3.0",
            "type": "event-based",
            "models": {"Switch": {"public": True, "params": ["stage_mw"], "attrs": ["f", "P"]}},
        }

    def create(self, num, model, stage_mw):
        self.stage_mw = stage_mw
        return [{"eid": f"S{i}", "type": model} for i in range(num)]

    def setup_done(self):
        pass

    def step(self, time, inputs, max_advance):
        self.changed = False
        assert time <= max_advance
        if not inputs:
            return None
        ((source, hz),) = inputs["S0"]["f"].items()
        if time > 0 and time % 50 == 0:
            assert self.ask("get_data", {source: ["frequency"]}) == {source: {"frequency": hz}}
            assert 0 <= self.ask("get_progress") <= 100
            self.ask("set_event", time + 3)
        if time >= self.armed_at and hz < self.low_hz and self.on < 3 * self.stage_mw:
            self.on += self.stage_mw
            self.changed = True
        return None

    def get_data(self, outputs):
        return {"S0": {"P": self.on}} if self.changed else {}


def main():
    simulator = {"pv": PV, "switch": Switch}[sys.argv[1]]()
    listen = sys.argv[2] == "--listen"
    host, port = sys.argv[-1].split(":")
    if listen:
        server = socket.create_server((host, int(port)))
        print("%s:%d" % server.getsockname(), flush=True)
        sock, _ = server.accept()
    else:
        sock = socket.create_connection((host, int(port)))
    Connection(sock, simulator).serve()


main()
