"""The adder of the tests, in Python; with a word it does one thing wrong, or is
the relay."""

import os
import ssl
import sys

from cosim_federate import Federate, events, messages, run, vector

AB = ["a", "b"]


class Adder(Federate):
    step_ns = 10_000_000
    inputs = [vector("in", "MW", AB, optional=True), messages("mail", optional=True), events("news", direct=True, optional=True)]
    outputs = [vector("out", "MW", AB), messages("mail"), events("news")]
    state, sent = 0.0, 0

    def start(self, welcome):
        if wrong == "start":
            raise RuntimeError("no licence")
        print("seed", welcome["seed"], "droop", welcome["parameters"].get("droop"), flush=True)

    def initial(self):
        return {"out": [1 / 3, 0], **self.emit(0)}

    def step(self, t, inputs):
        if "in" in inputs:
            v = inputs["in"]
            self.state = 0.9 * v[0] + 0.1 * self.state + v[1] / 7
        for m in inputs["mail"]:
            self.state += (m["id"] + len(m["payload"])) / 1e3
        for e in inputs["news"]:
            self.state -= e["value"] / 1e5
        self.state += 1
        made = {"out": [self.state / 2, -self.state / 3], **self.emit(t + self.step_ns // 3)}
        if t == 50_000_000:
            spoil(made)
            if wrong == "number":
                return 5
        return made

    def emit(self, at):
        self.sent += 1
        return {
            "mail": [{"at_ns": at, "id": self.sent, "from": name, "to": "x>y", "class": "pmu", "payload": bytes([0, 255, self.sent & 255])}],
            "news": [{"at_ns": at, "type": "step", "element": name, "value": self.state, "detail": 'µ "quoted"'}],
        }

    def close(self):
        print("closed", flush=True)


def spoil(made):
    if wrong == "nan":
        made["out"][1] = float("nan")
    elif wrong == "short":
        made["out"] = [1.0]
    elif wrong == "word":
        made["out"][0] = "1"
    elif wrong == "port":
        made["power"] = [1]
    elif wrong == "late":
        made["mail"][0]["at_ns"] = 60_000_000
    elif wrong == "key":
        made["news"][0]["values"] = 1.0
    elif wrong == "infinite":
        made["news"][0]["value"] = float("inf")
    elif wrong == "text":
        made["mail"][0]["payload"] = "AAA="
    elif wrong == "raise":
        raise RuntimeError("no licence")


url, wrong = os.environ["COSIM_URL"], (sys.argv[1:] + [""])[0]
name = url.rpartition("/")[2]
tls = ssl.create_default_context(cafile=os.environ["COSIM_CA"]) if "COSIM_CA" in os.environ else None
federate = Adder()
if wrong.startswith("relay"):
    from relay import Relay
    federate = Relay(wrong)
print(run(url, federate, token=os.environ.get("COSIM_TOKEN"), tls=tls, patience=float(os.environ.get("COSIM_PATIENCE", "10"))))
