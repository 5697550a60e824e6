// What measurements in the editor have in common: quantiles, and the circumstances that belong to every figure.

import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg } from "node:os";
import * as path from "node:path";

import { REPOSITORY } from "./product";

/** Returns the smallest value that `share` of all values do not exceed; null without values. */
export function quantile(values: readonly number[], share: number): number | null {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.min(Math.floor(share * sorted.length), sorted.length - 1)] ?? null;
}

/** Writes `result` and its circumstances to benchmarks/results/NAME.json, and prints it without its samples. */
export function writeMeasurement(name: string, result: Readonly<Record<string, unknown>>): void {
  const { what, method, ...figures } = result;
  const full = {
    what,
    method,
    commit: execFileSync("git", ["rev-parse", "--short=12", "HEAD"], { cwd: REPOSITORY, encoding: "utf8" }).trim(),
    machine: `${cpus()[0]?.model ?? "unknown"}, cores: ${availableParallelism()}, shared by browser, editor and model`,
    load_average: loadavg().map((load) => Number(load.toFixed(1))),
    ...figures,
  };
  const file = path.join(REPOSITORY, "benchmarks/results", `${name}.json`);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(full, undefined, 2)}\n`);
  process.stdout.write(`${JSON.stringify({ ...full, samples: undefined }, undefined, 2)}\n`);
}
