// The stream of a run: lines of JSON, for as long as the run goes on.

import { request } from "./api.js";

/** messages yields the messages of a run's stream until the run has ended; it
 * throws when the connection is lost. */
export async function* messages(run, signal) {
  const response = await request(`/v1/runs/${encodeURIComponent(run)}/stream`, { signal });
  if (response.status === 204) throw Object.assign(new Error("no run has begun"), { waiting: true });
  if (!response.ok) throw Object.assign(new Error(`status ${response.status}`), { status: response.status });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await within(reader.read(), 6000, reader);
    if (done) return;
    const lines = (rest + value).split("\n");
    rest = lines.pop();
    for (const line of lines) if (line) yield JSON.parse(line);
  }
}

// within gives up on a server that has said nothing for so long; it speaks once
// a second at least.
async function within(promise, ms, reader) {
  let timer;
  const late = new Promise((_, fail) => {
    timer = setTimeout(() => fail(new Error("no word from the server")), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } catch (error) {
    reader.cancel().catch(() => {});
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
