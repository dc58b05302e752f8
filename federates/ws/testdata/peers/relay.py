"""The event-stepped relay of the tests, in Python; it may name a wrong time."""

import math

from cosim_federate import Federate, events, messages, vector

MISTAKES = {"relay-past": 1, "relay-fraction": 3e7 + 0.5, "relay-huge": 1 << 63}


class Relay(Federate):
    by_event = True
    inputs = [
        vector("v", "MW", ["a", "b"], direct=True, wake={"elements": ["a"], "levels": [2, 2.5, 3]}),
        messages("mail"), events("orders", wake=True),
    ]
    outputs = [vector("trip", "MW", ["a", "b"]), messages("mail"), events("orders")]
    state, sent = 0.0, 0

    def __init__(self, wrong):
        self.wrong = MISTAKES.get(wrong)

    def initial(self):
        return {"trip": [0, -1]}

    def step(self, t, inputs):
        self.state = 0.5 * self.state + inputs["v"][0] + len(inputs["mail"]) / 4
        for e in inputs["orders"]:
            self.state += e["value"] / 8
        if self.woken:
            self.state += 1
        self.sent += 1
        k = math.floor(self.state * 7)
        if k % 5:
            self.next_ns = t + 1 + k % 70 * 1_000_000
        if self.wrong is not None and t > 0:
            self.next_ns = self.wrong
        made = {
            "mail": [{"at_ns": t + 1, "id": self.sent, "payload": bytes([k & 255])}],
            "orders": [{"at_ns": t + 2, "type": "k", "value": self.state}] if k % 2 else [],
        }
        if k % 4:
            made["trip"] = [self.state, k]
        return made
