// Solves problems in LP format with HiGHS (github.com/ERGO-Code/HiGHS). Each
// line of standard input is {"lp": text, "options": {name: value}}, each line of
// standard output {"status", "objective", "bound", "values": {variable: value}}
// or {"error"}.
import { createInterface } from "node:readline";
import load from "highs";

const highs = await load({ print: () => {}, printErr: (line) => console.error(line) });

function solve({ lp, options }) {
  const model = highs.createModel();
  try {
    model.options.set({ output_flag: false, ...options });
    model.readModel({ format: "lp", data: lp });
    const { modelStatus } = model.run();
    const status = Object.entries(highs.constants.modelStatus).find(([, code]) => code === modelStatus)?.[0];
    const x = model.getSolution().colValue;
    const values = {};
    for (let i = 0; i < x.length; i++) if (x[i] !== 0) values[model.getColName(i)] = x[i];
    return { status, objective: model.getObjectiveValue(), bound: model.info.get("mip_dual_bound"), values };
  } finally {
    model.dispose();
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  let answer;
  try {
    answer = solve(JSON.parse(line));
  } catch (e) {
    answer = { error: String(e) };
  }
  // JSON has no infinities: they become null.
  process.stdout.write(JSON.stringify(answer) + "\n");
}
