// Python interpreters and programs on PATH, and what is installed in them.

import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import * as path from "node:path";

import { run } from "./processes";

export const OLDEST_PYTHON: readonly [number, number] = [3, 11];

export interface Interpreter {
  /** Absolute path, as the interpreter itself reports it. */
  readonly executable: string;
  readonly version: readonly [number, number];
  /** Version of codet5p that is installed there, if any. */
  readonly serverVersion: string | undefined;
}

const PROBE = `
import json, sys
try:
    from importlib.metadata import version
    server = version("codet5p")
except Exception:
    server = None
print(json.dumps({"executable": sys.executable, "version": list(sys.version_info[:2]), "server": server}))
`;
const PROBE_TIMEOUT_MS = 15_000;

/** Asks the interpreter at `executable` about itself; undefined when it is none, or does not work. */
export async function probeInterpreter(executable: string, cwd: string): Promise<Interpreter | undefined> {
  try {
    const { code, stdout } = await run(executable, ["-c", PROBE], { cwd, timeoutMs: PROBE_TIMEOUT_MS });
    if (code !== 0) return undefined;
    const answer = JSON.parse(stdout) as { executable: string; version: [number, number]; server: string | null };
    return { executable: answer.executable, version: answer.version, serverVersion: answer.server ?? undefined };
  } catch {
    return undefined;
  }
}

/** Asks a `codet5p` program for its version; undefined when it does not say. */
export async function programVersion(program: string, cwd: string): Promise<string | undefined> {
  try {
    const { stdout } = await run(program, ["--version"], { cwd, timeoutMs: PROBE_TIMEOUT_MS });
    return /\d+\.\d+\S*/.exec(stdout)?.[0];
  } catch {
    return undefined;
  }
}

export function isSupported(interpreter: Interpreter): boolean {
  const [major, minor] = interpreter.version;
  return major > OLDEST_PYTHON[0] || (major === OLDEST_PYTHON[0] && minor >= OLDEST_PYTHON[1]);
}

/** Names under which a Python may be on PATH, the plain one first. */
export const PYTHON_NAMES: readonly string[] = ["python3", "python", "python3.14", "python3.13", "python3.12", "python3.11"];

/**
 * Returns the first program called `name` on `searchPath`. Relative entries are passed over: they would pick up a
 * program from whatever folder happens to be current.
 */
export async function findOnPath(name: string, searchPath: string, platform: NodeJS.Platform): Promise<string | undefined> {
  const windows = platform === "win32";
  const names = windows ? [`${name}.exe`] : [name];
  for (const folder of searchPath.split(windows ? ";" : ":").filter((entry) => path.isAbsolute(entry))) {
    for (const file of names.map((candidate) => path.join(folder, candidate))) {
      if (await isExecutable(file)) return file;
    }
  }
  return undefined;
}

/** Whether `file` can be run; a folder cannot. */
export async function isExecutable(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    return (await stat(file)).isFile();
  } catch {
    return false;
  }
}

/** Returns `file` with a leading `~` replaced by the home folder, which only shells do by themselves. */
export function fromHome(file: string, home: string): string {
  return /^~(?=[\\/]|$)/.test(file) ? path.join(home, file.slice(1)) : file;
}
