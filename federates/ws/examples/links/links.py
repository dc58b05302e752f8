"""QKD links outside, in place of the built-in ones: key at measured rates.

    cosim run S-2 --set 'federates=[{name: my-links, replaces: quantum, on_lost: fallback}]'
    PYTHONPATH=federates/ws/python python3 federates/ws/examples/links/links.py
"""

import os

from cosim_federate import Federate, events, run, vector

RATES = {  # secret key as measured, bit/s
    "CC-GW1": 11_700, "CC-GW2": 13_900, "CC-GW3": 12_200, "CC-GW4": 10_800,
    "GW1-GW2": 4_100, "GW2-GW3": 4_400, "GW3-GW4": 6_200, "GW4-GW1": 4_500,
}
ELEMENTS = ["link/" + name for name in RATES]


class Links(Federate):
    step_ns = 100_000_000
    outputs = [  # those of the built-in federate, in its units
        events("blocks"), events("fibre"), events("events"),
        vector("rate", "bit/s", ELEMENTS), vector("qber", "1", ELEMENTS), vector("attenuation", "dB/km", ELEMENTS),
        vector("key", "bit", ELEMENTS), vector("up", "s", ELEMENTS), vector("state", "1", ELEMENTS),
    ]

    def initial(self):
        self.rest = dict.fromkeys(RATES, 0)  # of each link: what is no whole byte yet, in 1e-9 bit
        return {"rate": list(RATES.values()), "qber": [0.02] * len(RATES), "attenuation": [0.2] * len(RATES)}

    def step(self, t, inputs):
        blocks, key = [], []
        for name, rate in RATES.items():
            whole, self.rest[name] = divmod(self.rest[name] + rate * self.step_ns, 8_000_000_000)
            blocks.append({"at_ns": t, "type": "key-block", "element": name, "value": 8 * whole})
            key.append(8 * whole)
        return {"blocks": blocks, "key": key, "up": [self.step_ns / 1e9] * len(RATES)}


url = os.environ.get("COSIM_URL", "ws://127.0.0.1:8765/v1/federates/my-links")
run(url, Links(), token=os.environ.get("COSIM_TOKEN"))
