// Requests to the server, with the operator's token where one is asked for.

import { $ } from "./dom.js";

let token = sessionStorage.getItem("cosim-token") ?? "";
let asking = null;

/** request fetches; a refused caller is asked for the token. */
export async function request(path, options = {}) {
  for (;;) {
    const headers = { ...options.headers, ...(token && { Authorization: `Bearer ${token}` }) };
    const response = await fetch(path, { ...options, headers, cache: "no-store" });
    if (response.status !== 401) return response;
    await askToken();
  }
}

/** get fetches an answer of REST. */
export async function get(path) {
  return read(await request(path));
}

/** post sends an order; it throws what the server said against it. */
export async function post(path, body) {
  return read(await request(path, { method: "POST", ...(body && { body: JSON.stringify(body) }) }));
}

async function read(response) {
  const answer = await response.json();
  if (response.ok) return answer;
  throw Object.assign(new Error(answer.message ?? `status ${response.status}`), { status: response.status });
}

function askToken() {
  asking ??= new Promise((done) => {
    const gate = $("gate");
    gate.addEventListener("close", () => {
      token = $("token").value.trim();
      $("token").value = "";
      sessionStorage.setItem("cosim-token", token);
      asking = null;
      done();
    }, { once: true });
    gate.showModal();
  });
  return asking;
}
