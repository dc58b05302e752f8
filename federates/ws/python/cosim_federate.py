"""Take part in a run of cosim with a program in Python.

One file, Python 3.9 or newer, standard library only: copy it beside your
program. A federate says which ports it has and makes one step after another:

    from cosim_federate import Federate, run, vector

    class Load(Federate):
        step_ns = 100_000_000
        inputs = [vector("frequency", "Hz", ["coi"], subset=True)]
        outputs = [vector("power", "MW", ["bus/16"])]

        def step(self, t, inputs):
            return {"power": [-20.0 if inputs["frequency"][0] > 0 else 0.0]}

    run("ws://127.0.0.1:8765/v1/federates/load", Load())

Protocol and rules: docs/federates.md (cosim.v1, sub-protocol cosim.v1.json).
"""

import base64
import hashlib
import json
import math
import os
import socket
import ssl
import struct
import time
from urllib.parse import unquote, urlsplit

__all__ = [
    "Federate", "run", "vector", "messages", "events",
    "BeginsAgain", "CosimError", "ConnectionLost", "MasterError", "OutputError", "ProtocolError", "Refused",
]


def vector(name, unit, elements, *, direct=False, optional=False, subset=False, wake=None):
    """A port of numbers with one unit, one for each element.

    Of inputs: direct ones read what their source makes in this same step,
    optional ones may stay unconnected, a subset names only some of its
    source's elements. One that wakes (wake=True) has a federate that names its
    own times act when a value changes; with wake={"levels": [-0.2]} only when
    one crosses a level, with wake={"elements": ["coi"]} only for these.
    """
    return _port(
        name, "vector", wake, unit=unit, elements=list(elements), direct=direct, optional=optional, subset=subset)


def messages(name, *, direct=False, optional=False, wake=None):
    """A port of messages: dicts with at_ns, id, from, to, class, payload (bytes)."""
    return _port(name, "messages", wake, direct=direct, optional=optional)


def events(name, *, direct=False, optional=False, wake=None):
    """A port of events: dicts with at_ns, type, element, value, detail."""
    return _port(name, "events", wake, direct=direct, optional=optional)


def _port(name, kind, wake, **rest):
    port = {"name": name, "kind": kind}
    port.update((key, value) for key, value in rest.items() if value)
    if wake is not None and wake is not False:
        port["wake"] = {} if wake is True else wake
    return port


class Federate:
    """What a program is in a run. Declare ports and the step; override step."""

    step_ns = 0   # length of a step, nanoseconds
    by_event = False  # it acts when it says (next_ns) and when an input wakes it; step_ns may stay 0
    inputs = ()   # of vector(), messages(), events()
    outputs = ()
    stale = frozenset()  # inputs held at their last values, for their source was lost
    woken = False        # with by_event: an input made this step
    next_ns = None       # with by_event: set in step, when to act next; None: when an input wakes it

    def start(self, run):
        """Hear of the run, once: run["run"], run["run_id"], run["seed"], run["stop_ns"], run["parameters"] ..."""

    def initial(self):
        """Return the outputs at time zero; what is left out is 0."""
        return {}

    def step(self, t, inputs):
        """Advance by a step from t (nanoseconds) on and return the outputs.

        inputs holds lists by port: floats of a vector (which is missing where
        it is not connected), dicts of messages and events. A vector left out
        of what is returned keeps its values. With by_event, set self.next_ns.
        """
        raise NotImplementedError

    def close(self):
        """The run is over, or this federate's part in it."""


class CosimError(Exception):
    """Whatever keeps a federate from its run."""


class Refused(CosimError):
    """The run does not let this program in."""


class MasterError(CosimError):
    """What the master said when it ended the session; code is one of the protocol's."""

    def __init__(self, code, message):
        super().__init__(f"the master says {code}: {message}")
        self.code = code


class ProtocolError(CosimError):
    """The other side does not speak the protocol."""


class OutputError(CosimError, ValueError):
    """A step returned what may not be sent."""


class ConnectionLost(CosimError):
    """The connection broke and could not be made again."""


class BeginsAgain(CosimError):
    """The run is made again from its start, which this federate has left."""


def run(url, federate, token=None, *, tls=None, patience=10.0):
    """Take part in a run until it stops; return "end" or "aborted".

    url is ws://host:port/v1/federates/name (or wss), token the federate's
    bearer token, tls an ssl.SSLContext for certificates of one's own. For
    patience seconds it keeps trying to connect, at first and whenever the
    connection broke, and goes on with the step that was not answered.

    federate is a Federate or what makes one, such as its class. Only the
    latter outlives a run that is killed and resumed: the run is then made
    again from its start, with a new federate. Its patience should last until
    somebody resumes the run.
    """
    player = _Player(url, federate)
    end, pause = time.monotonic() + patience, _SHORTEST_PAUSE
    try:
        while True:
            link = _dial(url, token, tls, end)
            made, begun = player.made, time.monotonic()
            try:
                return player.session(link)
            except ConnectionLost:
                now = time.monotonic()
                if player.made > made or now - begun > patience:  # it was good for something
                    end, pause = now + patience, _SHORTEST_PAUSE
                if now + pause > end:
                    raise
            finally:
                link.close()
            time.sleep(pause)
            pause = min(2 * pause, 1.0)
    finally:
        player.federate.close()


_SHORTEST_PAUSE = 0.01
_PROTOCOL = "cosim.v1.json"


def _dial(url, token, tls, end):
    """Connect, again and again as long as nobody answers."""
    pause = _SHORTEST_PAUSE
    while True:
        try:
            return _Link(url, token, tls)
        except (OSError, ConnectionLost) as error:
            if isinstance(error, ssl.SSLCertVerificationError):
                raise Refused(f"{url}: {error}") from None
            if time.monotonic() + pause > end:
                raise ConnectionLost(f"{url}: {error}") from None
        time.sleep(pause)
        pause = min(2 * pause, 1.0)


class _Player:
    """Makes the steps it is asked for, over one connection or several."""

    def __init__(self, url, federate):
        self.again = None if isinstance(federate, Federate) else federate
        if self.again:
            federate = self.again()
        self.federate = federate
        self.inputs = {p["name"]: p for p in federate.inputs}
        self.outputs = {p["name"]: p for p in federate.outputs}
        self.hello = {
            "type": "hello", "federate": unquote(urlsplit(url).path.rpartition("/")[2]), "step_ns": federate.step_ns,
            "inputs": list(federate.inputs), "outputs": list(federate.outputs),
        }
        if federate.by_event:
            self.hello["step"] = "event"
        self.welcome = None
        self.made = -2  # the step made last; -1 is the one at time zero
        self.answer = ""

    def session(self, link):
        """Play until the run stops or the connection breaks."""
        self.greet(link)
        while True:
            message = _receive(link)
            if message["type"] == "stop":
                link.farewell()
                return message["reason"]
            if message["type"] != "step":
                raise ProtocolError(f'expected step or stop, got a message of type {message["type"]!r}')
            if message["seq"] != self.made:  # else its answer was lost
                self.tell_failure(link, self.make, message)
            try:
                link.send(self.answer)
            except ConnectionLost as error:
                return _last_words(link, error)

    def greet(self, link):
        link.send(json.dumps(self.hello, allow_nan=False))
        welcome = _receive(link)
        if welcome["type"] != "welcome":
            raise ProtocolError(f'expected welcome, got a message of type {welcome["type"]!r}')
        first = self.welcome is None
        if not first and welcome["run_id"] != self.welcome["run_id"]:
            raise Refused(f'expected to come back to run {self.welcome["run"]}, found another, {welcome["run"]}')
        welcome.setdefault("parameters", {})
        self.welcome = welcome
        self.hello["resume_token"] = welcome["resume_token"]
        if first:
            self.tell_failure(link, self.federate.start, welcome)

    @staticmethod
    def tell_failure(link, call, argument):
        """Let the master know why this federate cannot go on, if so."""
        try:
            call(argument)
        except Exception as error:
            text = str(error) if isinstance(error, CosimError) else f"{type(error).__name__}: {error}"
            try:
                link.send(json.dumps({"type": "error", "code": "failed", "message": text[:400]}))
                link.farewell()
            except CosimError:
                pass  # the error itself says more
            raise

    def make(self, step):
        seq, start, end = step["seq"], step["from_ns"], step["to_ns"]
        if seq < 0 and self.made >= 0:
            self.begin_again()
        self.federate.stale, self.federate.woken = frozenset(step.get("stale", ())), step.get("woken", False)
        self.federate.next_ns = None
        if seq < 0:
            made = self.federate.initial()
        else:
            made = self.federate.step(start, self.read(step.get("inputs", {})))
        try:
            done = {"type": "done", "seq": seq, "outputs": self.write({} if made is None else made, start, end)}
            if self.federate.by_event and seq >= 0 and self.federate.next_ns is not None:
                done["next_ns"] = _next(self.federate.next_ns, start)
        except OutputError as error:
            raise OutputError(f"step {seq}: {error}") from None
        self.answer = json.dumps(done, allow_nan=False, separators=(",", ":"))
        self.made = seq

    def begin_again(self):
        """Put a new federate in the place of the one that has made steps."""
        if self.again is None:
            raise BeginsAgain("the run was killed and begins again; give run() the federate's class to take part in that")
        self.federate.close()
        self.federate = self.again()
        self.federate.start(self.welcome)

    def read(self, contents):
        got = {name: [] for name, port in self.inputs.items() if port["kind"] != "vector"}
        for name, content in contents.items():
            kind = self.inputs[name]["kind"]
            if kind == "vector":
                got[name] = [float(x) for x in content]
            elif kind == "events":
                got[name] = [{**_NO_EVENT, **e} for e in content]
            else:
                got[name] = [{**_NO_MESSAGE, **m, "payload": base64.b64decode(m.get("payload", ""))} for m in content]
        return got

    def write(self, made, start, end):
        contents = {}
        if not isinstance(made, dict):
            raise OutputError(f"expected a dict of outputs, got {made!r}")
        for name, content in made.items():
            port = self.outputs.get(name)
            if port is None:
                raise OutputError(f"expected the outputs {', '.join(self.outputs)}, got {name!r}")
            if port["kind"] == "vector":
                content = _numbers(name, content, port["elements"])
            else:
                one = _message if port["kind"] == "messages" else _event
                content = [one(f"{name}[{i}]", x, start, end) for i, x in enumerate(content)]
            contents[name] = content
        return contents


def _next(x, start):
    if isinstance(x, bool) or not hasattr(x, "__index__"):
        raise OutputError(f"next_ns: expected a whole number or None, got {x!r}")
    x = x.__index__()
    if not start < x < 1 << 63:
        raise OutputError(f"next_ns: expected more than {start}, where the step begins, and less than 2^63, got {x}")
    return x


_NO_MESSAGE = {"id": 0, "from": "", "to": "", "class": "", "payload": b""}
_NO_EVENT = {"element": "", "value": 0.0, "detail": ""}


def _number(what, x):
    if isinstance(x, (str, bytes, bool)) or not hasattr(x, "__float__"):
        raise OutputError(f"{what}: expected a number, got {x!r}")
    x = float(x)
    if not math.isfinite(x):
        raise OutputError(f"{what}: expected a finite number, got {x}")
    return x


def _numbers(name, content, elements):
    try:
        content = list(content)
    except TypeError:
        raise OutputError(f"{name}: expected a list of {len(elements)} numbers, got {content!r}") from None
    if len(content) != len(elements):
        raise OutputError(f"{name}: expected {len(elements)} values, got {len(content)}")
    return [_number(f"{name}, {element}", x) for element, x in zip(elements, content)]


def _stamped(what, x, known, start, end):
    """Check what messages and events have in common."""
    if not isinstance(x, dict):
        raise OutputError(f"{what}: expected a dict, got {x!r}")
    unknown = set(x) - set(known) - {"at_ns"}
    if unknown:
        raise OutputError(f"{what}: unknown key {sorted(unknown)[0]!r}")
    at = x.get("at_ns")
    if not hasattr(at, "__index__") or not (start <= at < end or start == end == at):
        raise OutputError(f"{what}: expected at_ns in [{start}, {end}), got {at!r}")
    return {**x, "at_ns": at.__index__()}


def _message(what, x, start, end):
    x = _stamped(what, x, _NO_MESSAGE, start, end)
    payload = x.get("payload", b"")
    if not isinstance(payload, (bytes, bytearray, memoryview)):
        raise OutputError(f"{what}: expected a payload of bytes, got {payload!r}")
    x["payload"] = base64.b64encode(payload).decode("ascii")
    return x


def _event(what, x, start, end):
    x = _stamped(what, x, {"type", *_NO_EVENT}, start, end)
    if not isinstance(x.get("type"), str):
        raise OutputError(f"{what}: expected a type, got {x.get('type')!r}")
    if "value" in x:
        x["value"] = _number(f"{what}, value", x["value"])
    return x


def _receive(link):
    text = link.receive()
    try:
        message = json.loads(text)
        kind = message["type"]
    except (ValueError, KeyError, TypeError):
        raise ProtocolError(f"expected a message of {_PROTOCOL}, got {text[:80]!r}") from None
    if kind == "error":
        raise MasterError(message["code"], message["message"])
    return message


def _last_words(link, error):
    """Read why the other side hung up while this one wrote, if it said so."""
    link.socket.settimeout(1.0)
    message = _receive(link)
    if message["type"] == "stop":
        return message["reason"]
    raise error


# WebSocket (RFC 6455), the client's side.

_CONTINUATION, _TEXT, _CLOSE, _PING, _PONG = 0, 1, 8, 9, 10
_LARGEST = 64 << 20  # bytes of a message


class _Link:
    """A WebSocket for text messages."""

    def __init__(self, url, token, tls):
        at = urlsplit(url)
        if at.scheme not in ("ws", "wss") or not at.hostname:
            raise ValueError(f"expected ws://host:port/v1/federates/name, got {url!r}")
        if token is not None and not (token.isascii() and token.isprintable()):
            raise ValueError("the token holds characters that no header may")
        self.buffer, self.socket = b"", None
        plain = socket.create_connection((at.hostname, at.port or (443 if at.scheme == "wss" else 80)), timeout=10)
        self.socket = plain
        try:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            if at.scheme == "wss":
                self.socket = (tls or ssl.create_default_context()).wrap_socket(plain, server_hostname=at.hostname)
            self._upgrade(at, token)
            self.socket.settimeout(None)  # a step may be long in coming
        except BaseException:
            self.close()
            raise

    def _upgrade(self, at, token):
        key = base64.b64encode(os.urandom(16)).decode("ascii")
        path = (at.path or "/") + ("?" + at.query if at.query else "")
        lines = [
            f"GET {path} HTTP/1.1", f"Host: {at.netloc.rpartition('@')[2]}", "Upgrade: websocket", "Connection: Upgrade",
            f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Protocol: {_PROTOCOL}",
        ]
        if token is not None:
            lines.append(f"Authorization: Bearer {token}")
        self.socket.sendall("\r\n".join(lines + ["", ""]).encode("utf-8"))
        while b"\r\n\r\n" not in self.buffer:
            if len(self.buffer) > 16384:
                raise ProtocolError("the answer to the handshake has no end")
            self._fill()
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        status, *fields = head.decode("latin-1").split("\r\n")
        answer = {name.strip().lower(): value.strip() for name, _, value in (f.partition(":") for f in fields)}
        code = status.split(" ", 1)[-1]
        if not code.startswith("101"):
            raise Refused(f"{at.geturl()}: {code}: {self._body(answer)}")
        digest = hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode("ascii")).digest()
        if answer.get("sec-websocket-accept") != base64.b64encode(digest).decode("ascii"):
            raise ProtocolError("the other side is no WebSocket server")
        if answer.get("sec-websocket-protocol") != _PROTOCOL:
            raise ProtocolError(f"the other side does not speak {_PROTOCOL}")
        if "sec-websocket-extensions" in answer:
            raise ProtocolError("the other side uses an extension that was not offered")

    def _body(self, answer):
        """The text of a refusal."""
        length = answer.get("content-length", "1000")
        wanted = min(1000, int(length) if length.isdigit() else 1000)
        try:
            while len(self.buffer) < wanted:
                self._fill()
        except (OSError, ConnectionLost):
            pass  # what came has to do
        return self.buffer[:wanted].decode("utf-8", "replace").strip()

    def _fill(self):
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionLost("the other side hung up")
        self.buffer += data

    def _take(self, n):
        if len(self.buffer) < n:
            parts, have = [self.buffer], len(self.buffer)
            while have < n:
                data = self.socket.recv(max(65536, n - have))
                if not data:
                    raise ConnectionLost("the other side hung up")
                parts.append(data)
                have += len(data)
            self.buffer = b"".join(parts)
        data, self.buffer = self.buffer[:n], self.buffer[n:]
        return data

    def _frame(self):
        """Read a frame: whether it is the last of its message, its opcode and payload."""
        first, second = self._take(2)
        last, opcode, size = bool(first & 0x80), first & 0x0F, second & 0x7F
        if first & 0x70 or second & 0x80:
            self._refuse(1002, "a frame with reserved bits or a mask")
        if opcode >= _CLOSE and (not last or size > 125):
            self._refuse(1002, "a control frame that is split or too long")
        if size == 126:
            (size,) = struct.unpack(">H", self._take(2))
        elif size == 127:
            (size,) = struct.unpack(">Q", self._take(8))
        if size > _LARGEST:
            self._refuse(1009, f"a frame of {size} bytes")
        return last, opcode, self._take(size)

    def receive(self):
        """Wait for a text message."""
        try:
            return self._receive()
        except OSError as error:
            raise ConnectionLost(str(error)) from error

    def _receive(self):
        parts, size, begun = [], 0, False
        while True:
            last, opcode, payload = self._frame()
            if opcode == _PING:
                self._send(_PONG, payload)
            elif opcode == _CLOSE:
                self._closed(payload)
            elif opcode == (_CONTINUATION if begun else _TEXT):
                begun, size = True, size + len(payload)
                if size > _LARGEST:
                    self._refuse(1009, f"a message of {size} bytes and more")
                parts.append(payload)
                if last:
                    try:
                        return b"".join(parts).decode("utf-8")
                    except UnicodeDecodeError:
                        self._refuse(1007, "text that is not UTF-8")
            elif opcode != _PONG:
                self._refuse(1002, f"a frame with opcode {opcode} where text was due")

    def _closed(self, payload):
        code = struct.unpack(">H", payload[:2])[0] if len(payload) >= 2 else 1005
        try:
            self._send(_CLOSE, payload[:2])
        except OSError:
            pass  # it has gone
        reason = payload[2:].decode("utf-8", "replace")
        raise ConnectionLost(f"the other side closed the connection ({code}{' ' + reason if reason else ''})")

    def _refuse(self, code, what):
        try:
            self._send(_CLOSE, struct.pack(">H", code))
        except OSError:
            pass  # it has gone
        raise ProtocolError(f"the other side sent {what}")

    def send(self, text):
        try:
            self._send(_TEXT, text.encode("utf-8"))
        except OSError as error:
            raise ConnectionLost(str(error)) from error

    def _send(self, opcode, payload):
        n, mask = len(payload), os.urandom(4)
        if n < 126:
            head = struct.pack(">BB", 0x80 | opcode, 0x80 | n)
        elif n < 1 << 16:
            head = struct.pack(">BBH", 0x80 | opcode, 0x80 | 126, n)
        else:
            head = struct.pack(">BBQ", 0x80 | opcode, 0x80 | 127, n)
        # One exclusive or of long integers is far quicker than one a byte.
        key = int.from_bytes((mask * (n // 4 + 1))[:n], "little")
        masked = (int.from_bytes(payload, "little") ^ key).to_bytes(n, "little")
        self.socket.sendall(head + mask + masked)

    def farewell(self):
        """Close in agreement with the other side, which may have hung up already."""
        try:
            self.socket.settimeout(1.0)
            self._send(_CLOSE, struct.pack(">H", 1000))
            while True:
                if self._frame()[1] == _CLOSE:
                    return
        except (OSError, CosimError):
            return

    def close(self):
        self.socket.close()
