// The page: follows a run's stream, draws it, and hands on what people order.

import { get, post } from "./api.js";
import { Chains } from "./chains.js";
import { Charts } from "./charts.js";
import { $, make, say } from "./dom.js";
import { Drawer } from "./drawer.js";
import { pace, seconds } from "./format.js";
import { Graph } from "./graph.js";
import { Figures, Log } from "./log.js";
import { Operators } from "./operators.js";
import { newStore, take } from "./store.js";
import { messages } from "./stream.js";

let store = newStore();
let wanted = "current"; // or a run's name
let following = null; // ends the stream that is followed
let dirty = false;
let heard = []; // [wall ms, simulated s] of the last seconds

const charts = new Charts();
const chains = new Chains();
const log = new Log();
const figures = new Figures();
const operators = new Operators();
const drawer = new Drawer(() => graph.select(null));
const graph = new Graph((what) => drawer.show(what, store));

/** follow shows the wanted run for ever: it connects again where the connection
 * is lost, and goes on with the next run where one has ended. */
async function follow() {
  for (let tries = 0; ; ) {
    following = new AbortController();
    let shown = false;
    try {
      for await (const message of messages(wanted, following.signal)) {
        if (!shown) notice("");
        shown = true;
        tries = 0;
        receive(message);
      }
      if (store.status?.ended) await nextRun();
    } catch (error) {
      if (following.signal.aborted) continue;
      tries++;
      const waits = Boolean(error.waiting);
      if (store.status?.ended && !waits) notice(`The run has ended, and its server too. This is its last picture.`);
      else if (!waits || !store.status?.ended) notice(waits ? "Waiting for a run to begin." : "Connection lost, trying again. The run goes on without this page.");
      if (!waits) badge("lost", "no connection");
      await pause(waits ? 0 : Math.min(4000, 250 * 2 ** tries));
    }
  }
}

// nextRun returns when the run shown is no longer the one wanted.
async function nextRun() {
  for (;;) {
    const signal = following.signal;
    if (wanted === "current") {
      const newest = await get("/v1/runs/current");
      if (newest.id !== store.scene.run || !["done", "failed", "stopped"].includes(newest.state)) return;
    }
    await Promise.race([pause(1500), new Promise((done) => signal.addEventListener("abort", done, { once: true }))]);
    if (signal.aborted) return;
  }
}

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

function receive(message) {
  const fresh = Boolean(message.scene);
  if (fresh) {
    store = newStore();
    heard = [];
  }
  const entries = take(store, message);
  heard.push([performance.now(), message.t]);
  if (fresh) {
    begin();
    return;
  }
  graph.flash(entries);
  log.add(entries);
  dirty = true;
}

// begin shows a run from its first message.
function begin() {
  const { scene } = store;
  say($("name"), `${scene.experiment}  ${scene.case}  seed ${scene.seed}`);
  $("name").title = scene.title;
  document.title = `${scene.run} · cosim`;
  say($("stop"), `of ${seconds(scene.stop_s, 0)}`);
  const selected = graph.scene?.run === scene.run ? graph.selected : null;
  operators.begin(scene); // before what takes the room that is left
  graph.begin(scene);
  graph.select(selected);
  chains.begin(scene);
  charts.begin(store);
  log.begin(store);
  dirty = true;
  runs().catch(() => {});
}

// draw shows what has come, once a frame of the screen at most.
function draw() {
  requestAnimationFrame(draw);
  if (!store.scene) return;
  const flashing = graph.links.some((l) => l.until > performance.now() - 100);
  if (!dirty && !flashing) return;
  dirty = false;
  graph.update(store);
  charts.update();
  chains.update(store);
  figures.update(store);
  operators.update(store);
  drawer.update(store);
  header();
}

const names = { starting: "starting", running: "running", paused: "paused", done: "run ended", stopped: "stopped", failed: "failed" };

function header() {
  const { status, scene, t } = store;
  say($("time"), seconds(t, 2));
  $("progress").value = t / scene.stop_s;
  badge(status.state, names[status.state] ?? status.state);
  heard = heard.filter(([at], i) => i > heard.length - 3 || at > performance.now() - 2000);
  const [from, to] = [heard[0], heard.at(-1)];
  const over = (to[0] - from[0]) / 1000;
  say($("speed"), status.ended || status.state === "paused" || over < 0.05 ? "–" : pace((to[1] - from[1]) / over));
  say($("lag"), status.real_time > 0 && !status.ended ? (status.lag_ms >= 1000 ? seconds(status.lag_ms / 1000) : `${Math.round(status.lag_ms)} ms`) : "–");
  say($("pause"), status.state === "paused" ? "Resume" : "Pause");
  for (const id of ["pause", "step", "pace"]) $(id).disabled = status.ended;
  showPace(status.real_time);
  if (status.state === "failed") notice(`The run has failed: ${status.error}`);
}

function badge(state, text) {
  $("state").className = `badge ${state}`;
  say($("state"), text);
}

function notice(text) {
  $("notice").hidden = !text;
  say($("notice"), text);
}

function showPace(factor) {
  const select = $("pace");
  if (document.activeElement === select) return;
  const value = String(factor);
  if (![...select.options].some((o) => o.value === value)) select.append(make("option", { value, text: `${factor}×` }));
  if (select.value !== value) select.value = value;
}

// runs lists them where there are several.
async function runs() {
  const all = (await get("/v1/runs")).runs;
  const select = $("runs");
  select.hidden = all.length < 2;
  if (document.activeElement === select) return;
  select.replaceChildren(
    make("option", { value: "current", text: "newest run", selected: wanted === "current" }),
    ...all.map((r) => make("option", { value: r.id, text: `${r.id}  ${names[r.state] ?? r.state}`, selected: wanted === r.id })),
  );
}

async function order(path, body) {
  try {
    await post(`/v1/runs/${encodeURIComponent(store.scene.run)}/${path}`, body);
    notice("");
  } catch (error) {
    notice(error.message);
  }
}

function listen() {
  $("pause").addEventListener("click", () => order(store.status.state === "paused" ? "resume" : "pause"));
  $("step").addEventListener("click", () => order("step"));
  $("pace").addEventListener("change", (e) => {
    order("pace", { real_time: Number(e.target.value) });
    e.target.blur();
  });
  $("runs").addEventListener("change", (e) => {
    wanted = e.target.value;
    e.target.blur();
    following.abort();
  });
  document.addEventListener("keydown", (e) => {
    if (e.target.closest("input, select, button, form, dialog, [role=button]") || e.ctrlKey || e.metaKey || e.altKey || !store.scene) return;
    if (e.key === " ") $("pause").click();
    else if (e.key === ".") $("step").click();
    else return;
    e.preventDefault();
  });
}

// theme switches between that of the system, light and dark.
function theme() {
  const order = ["system", "light", "dark"];
  const show = (chosen) => {
    if (chosen === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = chosen;
    say($("theme"), `Theme: ${chosen}`);
    charts.redraw();
  };
  let chosen = localStorage.getItem("cosim-theme") ?? "system";
  $("theme").addEventListener("click", () => {
    chosen = order[(order.indexOf(chosen) + 1) % order.length];
    localStorage.setItem("cosim-theme", chosen);
    show(chosen);
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => charts.redraw());
  show(order.includes(chosen) ? chosen : "system");
}

theme();
listen();
draw();
setInterval(() => runs().catch(() => {}), 5000);
follow();
