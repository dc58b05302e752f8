// Take part in a run of cosim with a program in JavaScript.
//
// One file without dependencies, for Node 18 and newer and for browsers: copy
// it beside your program. A federate says which ports it has and makes one step
// after another:
//
//     import { Federate, run, vector } from "./cosim-federate.mjs";
//
//     class Load extends Federate {
//       stepNS = 100_000_000;
//       inputs = [vector("frequency", "Hz", ["coi"], { subset: true })];
//       outputs = [vector("power", "MW", ["bus/16"])];
//       step(t, inputs) { return { power: [inputs.frequency[0] > 0 ? -20 : 0] }; }
//     }
//     await run("ws://127.0.0.1:8765/v1/federates/load", new Load());
//
// Protocol and rules: docs/federates.md (cosim.v1, sub-protocol cosim.v1.json).

/**
 * A port of numbers with one unit, one for each element. Of inputs: direct ones
 * read what their source makes in this same step, optional ones may stay
 * unconnected, a subset names only some of its source's elements. One that
 * wakes (wake: true) has a federate that names its own times act when a value
 * changes; with wake: { levels: [-0.2] } only when one crosses a level, with
 * wake: { elements: ["coi"] } only for these.
 */
export function vector(name, unit, elements, { direct, optional, subset, wake } = {}) {
  return { name, kind: "vector", unit, elements: [...elements], direct, optional, subset, wake: wakeOf(wake) };
}

/** A port of messages: {at_ns, id, from, to, class, payload}, payloads being Uint8Array. */
export function messages(name, { direct, optional, wake } = {}) {
  return { name, kind: "messages", direct, optional, wake: wakeOf(wake) };
}

/** A port of events: {at_ns, type, element, value, detail}. */
export function events(name, { direct, optional, wake } = {}) {
  return { name, kind: "events", direct, optional, wake: wakeOf(wake) };
}

function wakeOf(wake) { return wake === true ? {} : wake || undefined; }

/** What a program is in a run. Declare ports and the step; override step. */
export class Federate {
  stepNS = 0;    // length of a step, nanoseconds
  byEvent = false; // it acts when it says (nextNS) and when an input wakes it; stepNS may stay 0
  inputs = [];   // of vector(), messages(), events()
  outputs = [];
  stale = [];    // inputs held at their last values, for their source was lost
  woken = false; // with byEvent: an input made this step
  nextNS = undefined; // with byEvent: set in step, when to act next; undefined: when an input wakes it

  /** Hear of the run, once: {run, run_id, seed (a BigInt), stop_ns, parameters, ...}. */
  start(run) {}

  /** Return the outputs at time zero; what is left out is 0. */
  initial() { return {}; }

  /**
   * Advance by a step from t (nanoseconds) on and return the outputs, or a
   * promise of them. inputs holds arrays by port; a vector that is not
   * connected is missing. A vector left out of the outputs keeps its values. With
   * byEvent, set this.nextNS.
   */
  step(t, inputs) { throw new Error("step is not implemented"); }

  /** The run is over, or this federate's part in it. */
  close() {}
}

/** Whatever keeps a federate from its run. */
export class CosimError extends Error {
  constructor(message, options) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** The run does not let this program in. */
export class Refused extends CosimError {}

/** What the master said when it ended the session; code is one of the protocol's. */
export class MasterError extends CosimError {
  constructor(code, message) {
    super(`the master says ${code}: ${message}`);
    this.code = code;
  }
}

/** The other side does not speak the protocol. */
export class ProtocolError extends CosimError {}

/** A step returned what may not be sent. */
export class OutputError extends CosimError {}

/** The connection broke and could not be made again. */
export class ConnectionLost extends CosimError {}

/** The run is made again from its start, which this federate has left. */
export class BeginsAgain extends CosimError {}

const protocol = "cosim.v1.json";
const shortestPause = 0.01;
const now = () => performance.now() / 1000;
const sleep = (seconds) => new Promise((resolve) => setTimeout(resolve, 1000 * seconds));
const isNode = typeof process !== "undefined" && process.versions?.node !== undefined;

/**
 * Take part in a run until it stops; resolves to "end" or "aborted". url is
 * ws://host:port/v1/federates/name (or wss), token the federate's bearer token,
 * tls options of Node's tls.connect (such as ca). For patience seconds it keeps
 * trying to connect, at first and whenever the connection broke, and goes on
 * with the step that was not answered. webSocket is a class to be used in
 * place of this file's own client, as it is in a browser anyway.
 *
 * federate is a Federate or a function that makes one. Only the latter outlives
 * a run that is killed and resumed: the run is then made again from its start,
 * with a new federate. Its patience should last until somebody resumes the run.
 */
export async function run(url, federate, { token, tls, patience = 10, webSocket } = {}) {
  webSocket ??= isNode ? undefined : globalThis.WebSocket;
  if (webSocket && token) {
    throw new Refused("a browser's WebSocket brings no token; let the run list the page's origin");
  }
  const player = new Player(url, federate);
  let end = now() + patience, pause = shortestPause;
  try {
    for (;;) {
      const link = await dial(url, token, tls, webSocket, end);
      const made = player.made, begun = now();
      try {
        return await player.session(link);
      } catch (error) {
        if (!(error instanceof ConnectionLost)) throw error;
        if (player.made > made || now() - begun > patience) { // it was good for something
          end = now() + patience;
          pause = shortestPause;
        }
        if (now() + pause > end) throw error;
      } finally {
        link.close();
      }
      await sleep(pause);
      pause = Math.min(2 * pause, 1);
    }
  } finally {
    await player.federate.close();
  }
}

/** Connect, again and again as long as nobody answers. */
async function dial(url, token, tls, webSocket, end) {
  for (let pause = shortestPause; ; pause = Math.min(2 * pause, 1)) {
    try {
      return webSocket ? await BrowserLink.open(url, webSocket) : await NodeLink.open(url, token, tls);
    } catch (error) {
      if (!(error instanceof ConnectionLost)) throw error;
      if (now() + pause > end) throw new ConnectionLost(`${url}: ${error.message}`, { cause: error });
    }
    await sleep(pause);
  }
}

/** Makes the steps it is asked for, over one connection or several. */
class Player {
  made = -2; // the step made last; -1 is the one at time zero
  answer = "";

  constructor(url, federate) {
    if (typeof federate === "function") {
      this.again = federate;
      federate = this.again();
    }
    this.federate = federate;
    this.inputs = new Map(federate.inputs.map((port) => [port.name, port]));
    this.outputs = new Map(federate.outputs.map((port) => [port.name, port]));
    this.hello = {
      type: "hello", federate: decodeURIComponent(new URL(url).pathname.split("/").pop()), step_ns: federate.stepNS,
      inputs: federate.inputs, outputs: federate.outputs, step: federate.byEvent ? "event" : undefined,
    };
  }

  /** Play until the run stops or the connection breaks. */
  async session(link) {
    await this.greet(link);
    for (;;) {
      const message = await receive(link);
      if (message.type === "stop") {
        await link.farewell();
        return message.reason;
      }
      if (message.type !== "step") {
        throw new ProtocolError(`expected step or stop, got a message of type "${message.type}"`);
      }
      if (message.seq !== this.made) { // else its answer was lost
        await tellFailure(link, () => this.make(message));
      }
      link.send(this.answer);
    }
  }

  async greet(link) {
    link.send(JSON.stringify(this.hello));
    const welcome = await receive(link);
    if (welcome.type !== "welcome") {
      throw new ProtocolError(`expected welcome, got a message of type "${welcome.type}"`);
    }
    const first = this.welcome === undefined;
    if (!first && welcome.run_id !== this.welcome.run_id) {
      throw new Refused(`expected to come back to run ${this.welcome.run}, found another, ${welcome.run}`);
    }
    this.welcome = { parameters: {}, ...welcome, seed: BigInt(welcome.seed) };
    this.hello.resume_token = welcome.resume_token;
    if (first) await tellFailure(link, () => this.federate.start(this.welcome));
  }

  /** Puts a new federate in the place of the one that has made steps. */
  async beginAgain() {
    if (!this.again) {
      throw new BeginsAgain("the run was killed and begins again; give run() a function that makes the federate to take part in that");
    }
    await this.federate.close();
    this.federate = this.again();
    await this.federate.start(this.welcome);
  }

  async make(step) {
    if (step.seq < 0 && this.made >= 0) await this.beginAgain();
    this.federate.stale = step.stale ?? [];
    this.federate.woken = step.woken ?? false;
    this.federate.nextNS = undefined;
    const made = step.seq < 0 ? await this.federate.initial() : await this.federate.step(step.from_ns, this.read(step.inputs ?? {}));
    try {
      this.answer = `{"type":"done","seq":${step.seq},"outputs":${this.write(made ?? {}, step.from_ns, step.to_ns)}${this.next(step)}}`;
    } catch (error) {
      if (error instanceof OutputError) error.message = `step ${step.seq}: ${error.message}`;
      throw error;
    }
    this.made = step.seq;
  }

  /** When the federate wants to act next, as JSON text. */
  next({ seq, from_ns: start }) {
    const at = this.federate.nextNS;
    if (!this.federate.byEvent || seq < 0 || at === undefined || at === null) return "";
    if (!Number.isSafeInteger(at) || at <= start) {
      throw new OutputError(`nextNS: expected a whole number of more than ${start}, where the step begins, or undefined, got ${at}`);
    }
    return `,"next_ns":${at}`;
  }

  read(contents) {
    const got = {};
    for (const { name, kind } of this.inputs.values()) {
      if (kind !== "vector") got[name] = [];
    }
    for (const [name, content] of Object.entries(contents)) {
      const { kind } = this.inputs.get(name);
      if (kind === "events") {
        got[name] = content.map((e) => ({ ...noEvent, ...e }));
      } else if (kind === "messages") {
        got[name] = content.map((m) => ({ ...noMessage, ...m, payload: bytesOf(m.payload ?? "") }));
      } else {
        got[name] = content;
      }
    }
    return got;
  }

  /** The outputs as JSON text. */
  write(made, start, end) {
    if (typeof made !== "object") throw new OutputError(`expected an object of outputs, got ${made}`);
    const contents = Object.entries(made).map(([name, content]) => {
      const port = this.outputs.get(name);
      if (!port) throw new OutputError(`expected the outputs ${[...this.outputs.keys()].join(", ")}, got "${name}"`);
      if (typeof content?.[Symbol.iterator] !== "function" || typeof content === "string") {
        throw new OutputError(`${name}: expected an array, got ${content}`);
      }
      const list = Array.from(content);
      if (port.kind === "vector" && list.length !== port.elements.length) {
        throw new OutputError(`${name}: expected ${port.elements.length} values, got ${list.length}`);
      }
      const one = {
        vector: (x, i) => number(`${name}, ${port.elements[i]}`, x),
        messages: (m, i) => message(`${name}[${i}]`, m, start, end),
        events: (e, i) => event(`${name}[${i}]`, e, start, end),
      }[port.kind];
      return `${JSON.stringify(name)}:[${list.map(one).join(",")}]`;
    });
    return `{${contents.join(",")}}`;
  }
}

const noMessage = { id: 0, from: "", to: "", class: "", payload: "" };
const noEvent = { element: "", value: 0, detail: "" };

/** Let the master know why this federate cannot go on, if so. */
async function tellFailure(link, call) {
  try {
    await call();
  } catch (error) {
    const text = error instanceof CosimError ? error.message : String(error);
    try {
      link.send(JSON.stringify({ type: "error", code: "failed", message: text.slice(0, 400) }));
      await link.farewell();
    } catch {
      // The error itself says more.
    }
    throw error;
  }
}

/** A finite number as JSON, minus zero included. */
function number(what, x) {
  if (typeof x !== "number") throw new OutputError(`${what}: expected a number, got ${typeof x} ${x}`);
  if (!Number.isFinite(x)) throw new OutputError(`${what}: expected a finite number, got ${x}`);
  return Object.is(x, -0) ? "-0.0" : String(x);
}

/** Checks what messages and events have in common. */
function stamped(what, x, known, start, end) {
  if (typeof x !== "object" || x === null) throw new OutputError(`${what}: expected an object, got ${x}`);
  const unknown = Object.keys(x).find((key) => key !== "at_ns" && !(key in known));
  if (unknown !== undefined) throw new OutputError(`${what}: unknown key "${unknown}"`);
  const at = x.at_ns;
  if (!Number.isSafeInteger(at) || !((start <= at && at < end) || (start === end && at === start))) {
    throw new OutputError(`${what}: expected at_ns in [${start}, ${end}), got ${at}`);
  }
}

function message(what, m, start, end) {
  stamped(what, m, noMessage, start, end);
  if (m.payload === undefined) return JSON.stringify(m);
  if (!(m.payload instanceof Uint8Array)) throw new OutputError(`${what}: expected a payload of bytes (Uint8Array), got ${m.payload}`);
  return JSON.stringify({ ...m, payload: base64Of(m.payload) });
}

function event(what, e, start, end) {
  stamped(what, e, { type: "", ...noEvent }, start, end);
  if (typeof e.type !== "string") throw new OutputError(`${what}: expected a type, got ${e.type}`);
  const { value = 0, ...rest } = e;
  return `${JSON.stringify(rest).slice(0, -1)},"value":${number(`${what}, value`, value)}}`;
}

function bytesOf(base64) { return Uint8Array.from(atob(base64), (c) => c.charCodeAt(0)); }

function base64Of(bytes) {
  let text = "";
  for (const b of bytes) text += String.fromCharCode(b);
  return btoa(text);
}

async function receive(link) {
  const text = await link.receive();
  let message;
  try {
    message = JSON.parse(text);
  } catch {
    message = undefined;
  }
  if (typeof message?.type !== "string") {
    throw new ProtocolError(`expected a message of ${protocol}, got ${text.slice(0, 80)}`);
  }
  if (message.type === "error") throw new MasterError(message.code, message.message);
  if (message.type === "welcome") message.seed = /"seed":(\d+)/.exec(text)?.[1] ?? 0; // it may be above 2^53
  return message;
}

/** Messages that have come and not been asked for yet, or how it ended. */
class Inbox {
  waiting = [];
  ended = undefined;
  wake = undefined;

  put(text) {
    this.waiting.push(text);
    this.wake?.();
  }

  end(error) {
    this.ended ??= error;
    this.wake?.();
  }

  async next() {
    while (this.waiting.length === 0) {
      if (this.ended) throw this.ended;
      await new Promise((resolve) => { this.wake = resolve; });
      this.wake = undefined;
    }
    return this.waiting.shift();
  }
}

/** A WebSocket of the browser's. */
class BrowserLink {
  inbox = new Inbox();

  static open(url, WebSocket) {
    return new Promise((resolve, reject) => {
      const link = new BrowserLink();
      const socket = link.socket = new WebSocket(url, protocol);
      socket.onopen = () => resolve(link);
      socket.onmessage = ({ data }) => {
        if (typeof data === "string") link.inbox.put(data);
        else link.inbox.end(new ProtocolError("the other side sent bytes where text was due"));
      };
      socket.onclose = ({ code, reason }) => {
        const lost = new ConnectionLost(`the connection was closed or refused (${code}${reason ? " " + reason : ""})`);
        link.inbox.end(lost);
        reject(lost);
      };
    });
  }

  send(text) { this.socket.send(text); }
  receive() { return this.inbox.next(); }
  farewell() { this.socket.close(1000); }
  close() { this.socket.close(); }
}

const [continuation, text, close, ping, pong] = [0, 1, 8, 9, 10];
const largest = 64 << 20; // bytes of a message

/** The client's side of a WebSocket (RFC 6455) over Node's sockets. */
class NodeLink {
  inbox = new Inbox();
  buffer = Buffer.alloc(0);
  parts = []; // of a message that came in several frames
  said = false; // a close
  closed = new Promise((resolve) => { this.onClosed = resolve; });

  static async open(url, token, tls) {
    const at = new URL(url), secure = at.protocol === "wss:";
    if (!secure && at.protocol !== "ws:") throw new Refused(`expected ws://host:port/v1/federates/name, got ${url}`);
    const [{ request }, { randomBytes, createHash }] = await Promise.all([import(secure ? "node:https" : "node:http"), import("node:crypto")]);
    const key = randomBytes(16).toString("base64");
    const headers = {
      Connection: "Upgrade", Upgrade: "websocket", "Sec-WebSocket-Key": key, "Sec-WebSocket-Version": "13", "Sec-WebSocket-Protocol": protocol,
    };
    if (token !== undefined) headers.Authorization = `Bearer ${token}`;
    const address = `${secure ? "https" : "http"}${url.slice(at.protocol.length - 1)}`;
    const [answer, socket, rest] = await new Promise((resolve, reject) => {
      const asked = request(address, { headers, agent: false, timeout: 10_000, ...(secure ? tls : {}) });
      asked.on("upgrade", (...upgraded) => resolve(upgraded));
      asked.on("timeout", () => asked.destroy(new Error("no answer within 10 s")));
      asked.on("error", (error) => {
        const untrusted = /CERT|SELF_SIGNED|UNABLE_TO/.test(error.code ?? "");
        reject(untrusted ? new Refused(`${url}: ${error.message}`) : new ConnectionLost(error.message || error.code, { cause: error }));
      });
      asked.on("response", (response) => {
        let body = "";
        response.setEncoding("utf8").on("data", (data) => { body = (body + data).slice(0, 1000); });
        response.on("close", () => reject(new Refused(`${url}: ${response.statusCode} ${response.statusMessage}: ${body.trim()}`)));
      });
      asked.end();
    });
    const link = new NodeLink(socket, randomBytes);
    const digest = createHash("sha1").update(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest("base64");
    const wrong = answer.headers["sec-websocket-accept"] !== digest ? "is no WebSocket server"
      : answer.headers["sec-websocket-protocol"] !== protocol ? `does not speak ${protocol}`
        : answer.headers["sec-websocket-extensions"] ? "uses an extension that was not offered" : "";
    if (wrong) {
      link.close();
      throw new ProtocolError(`the other side ${wrong}`);
    }
    link.take(rest);
    return link;
  }

  constructor(socket, randomBytes) {
    this.socket = socket;
    this.randomBytes = randomBytes;
    socket.setNoDelay(true);
    socket.setKeepAlive(true);
    socket.setTimeout(0); // a step may be long in coming
    socket.on("data", (data) => this.take(data));
    socket.on("error", (error) => this.end(new ConnectionLost(error.message, { cause: error })));
    socket.on("close", () => this.end(new ConnectionLost("the other side hung up")));
  }

  end(error) {
    this.inbox.end(error);
    this.onClosed();
  }

  /** Read what came, as far as frames are whole. */
  take(data) {
    this.buffer = this.buffer.length ? Buffer.concat([this.buffer, data]) : data;
    while (!this.inbox.ended && this.frame()) continue;
  }

  /** Take a frame off the buffer; false if it is not whole yet. */
  frame() {
    const b = this.buffer;
    if (b.length < 2) return false;
    const last = (b[0] & 0x80) !== 0, opcode = b[0] & 0x0f;
    if (b[0] & 0x70 || b[1] & 0x80) return this.refuse(1002, "a frame with reserved bits or a mask");
    let size = b[1] & 0x7f, at = 2;
    if (opcode >= close && (!last || size > 125)) return this.refuse(1002, "a control frame that is split or too long");
    if (size === 126) {
      if (b.length < 4) return false;
      size = b.readUInt16BE(2);
      at = 4;
    } else if (size === 127) {
      if (b.length < 10) return false;
      size = Number(b.readBigUInt64BE(2));
      at = 10;
    }
    if (size > largest) return this.refuse(1009, `a frame of ${size} bytes`);
    if (b.length < at + size) return false;
    this.buffer = b.subarray(at + size);
    this.handle(last, opcode, b.subarray(at, at + size));
    return true;
  }

  handle(last, opcode, payload) {
    if (opcode === ping) {
      this.write(pong, payload);
    } else if (opcode === close) {
      const code = payload.length >= 2 ? payload.readUInt16BE(0) : 1005, reason = payload.subarray(2).toString();
      this.write(close, payload.subarray(0, 2));
      this.end(new ConnectionLost(`the other side closed the connection (${code}${reason ? " " + reason : ""})`));
    } else if (opcode === (this.parts.length ? continuation : text)) {
      this.parts.push(payload);
      if (this.parts.reduce((sum, part) => sum + part.length, 0) > largest) {
        this.refuse(1009, "a message that is too long");
      } else if (last) {
        this.whole();
      }
    } else if (opcode !== pong) {
      this.refuse(1002, `a frame with opcode ${opcode} where text was due`);
    }
  }

  whole() {
    const bytes = Buffer.concat(this.parts);
    this.parts = [];
    try {
      this.inbox.put(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
    } catch {
      this.refuse(1007, "text that is not UTF-8");
    }
  }

  refuse(code, what) {
    this.write(close, Buffer.from([code >> 8, code & 0xff]));
    this.end(new ProtocolError(`the other side sent ${what}`));
    return false;
  }

  send(message) { this.write(text, Buffer.from(message)); }

  write(opcode, payload) {
    if (this.said) return; // nothing follows a close
    this.said = opcode === close;
    const n = payload.length, mask = this.randomBytes(4);
    const head = n < 126 ? 2 : n < 1 << 16 ? 4 : 10;
    const frame = Buffer.allocUnsafe(head + 4 + n);
    frame[0] = 0x80 | opcode;
    frame[1] = 0x80 | (head === 2 ? n : head === 4 ? 126 : 127);
    if (head === 4) frame.writeUInt16BE(n, 2);
    if (head === 10) frame.writeBigUInt64BE(BigInt(n), 2);
    mask.copy(frame, head);
    for (let i = 0; i < n; i++) frame[head + 4 + i] = payload[i] ^ mask[i & 3];
    this.socket.write(frame);
  }

  receive() { return this.inbox.next(); }

  /** Close in agreement with the other side, which may have hung up already. */
  async farewell() {
    this.write(close, Buffer.from([1000 >> 8, 1000 & 0xff]));
    const late = setTimeout(() => this.onClosed(), 1000);
    await this.closed;
    clearTimeout(late);
  }

  close() { this.socket.destroy(); }
}
