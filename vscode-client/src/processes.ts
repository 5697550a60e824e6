// Runs a program to its end. Never through a shell: arguments are passed as they are.

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

export interface Finished {
  /** Exit status; null when a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  /** Working directory. Python puts it on its import path, so it must never be a folder of the user's. */
  readonly cwd: string;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  readonly onLine?: (line: string) => void;
}

/** Runs `command` and resolves when it has ended; rejects when it cannot be started, runs out of time or is aborted. */
export function run(command: string, args: readonly string[], options: RunOptions): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const timeout = AbortSignal.timeout(options.timeoutMs);
    const signal = options.signal === undefined ? timeout : AbortSignal.any([timeout, options.signal]);
    const child = spawn(command, [...args], {
      cwd: options.cwd,
      env: { ...process.env, PYTHONIOENCODING: "utf-8", PIP_DISABLE_PIP_VERSION_CHECK: "1" },
      signal,
      stdio: ["ignore", "pipe", "pipe"],
      windowsHide: true,
    });
    const collected = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const) {
      createInterface({ input: child[name] }).on("line", (line) => {
        collected[name] += `${line}\n`;
        options.onLine?.(line);
      });
    }
    child.once("error", reject);
    child.once("close", (code) => {
      resolve({ code, ...collected });
    });
  });
}
