// The server's private Python environment, made from the wheel that the extension brings along.

import { mkdir, mkdtemp, open, readFile, rm, rmdir, stat, writeFile } from "node:fs/promises";
import * as path from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { messageOf, OPEN_SETTINGS, SHOW_LOG, UserError } from "./errors";
import { isSupported, OLDEST_PYTHON, type Interpreter } from "./interpreters";
import { run, type RunOptions } from "./processes";

export interface PrivateEnvironment {
  /** Folder that belongs to the extension alone; made when missing. */
  readonly storage: string;
  /** The bundled wheel; its name carries the version. */
  readonly wheel: string;
  readonly platform: NodeJS.Platform;
}

export interface InstallProgress {
  step(text: string): void;
  log(line: string): void;
  readonly signal: AbortSignal;
}

const INSTALL_TIMEOUT_MS = 30 * 60_000;
const LOCK_POLL_MS = 500;

/** Returns the private interpreter when the bundled wheel is installed there in full, else undefined. */
export async function installedInterpreter(environment: PrivateEnvironment): Promise<string | undefined> {
  try {
    const installed = await readFile(stampFile(environment), "utf8");
    return installed === (await wheelStamp(environment.wheel)) ? interpreterFile(environment) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Makes the private environment anew and returns its interpreter. Two windows may ask at once: the second one waits and
 * takes what the first has made. A half-made environment has no stamp and is made again.
 */
export async function installPrivateServer(
  environment: PrivateEnvironment,
  bases: readonly Interpreter[],
  progress: InstallProgress,
): Promise<string> {
  const base = chooseBase(bases);
  await prepareStorage(environment);
  const release = await takeLock(path.join(environment.storage, "install.lock"), progress);
  try {
    const ready = await installedInterpreter(environment);
    return ready ?? (await install(environment, base, progress));
  } finally {
    await release();
  }
}

/** Forgets the private environment, so that the next start makes a new one. */
export async function removePrivateServer(environment: PrivateEnvironment): Promise<void> {
  await rm(stampFile(environment), { force: true });
  await rm(folder(environment), { recursive: true, force: true });
}

function chooseBase(bases: readonly Interpreter[]): Interpreter {
  const base = bases.find(isSupported);
  if (base !== undefined) return base;
  const wanted = `Python ${OLDEST_PYTHON.join(".")} or newer`;
  const first = bases[0];
  const found = first === undefined ? "none was found" : `${first.executable} is ${first.version.join(".")}`;
  throw new UserError(
    `CodeT5+ needs ${wanted}, and ${found}. Install it, or set codet5p.server.path to a codet5p program.`,
    [OPEN_SETTINGS, SHOW_LOG],
  );
}

async function prepareStorage(environment: PrivateEnvironment): Promise<void> {
  await stat(environment.wheel).catch(() => {
    throw new UserError(
      "This build of the extension carries no server. Run `pip install codet5p` and set codet5p.server.path to the codet5p program.",
      [OPEN_SETTINGS],
    );
  });
  try {
    await mkdir(environment.storage, { recursive: true });
    await rmdir(await mkdtemp(path.join(environment.storage, "write-test-")));
  } catch (error) {
    throw new UserError(
      `CodeT5+ cannot write to ${environment.storage} (${messageOf(error)}). Free it, or set codet5p.server.path to a codet5p program installed elsewhere.`,
      [OPEN_SETTINGS],
    );
  }
}

async function install(environment: PrivateEnvironment, base: Interpreter, progress: InstallProgress): Promise<string> {
  await removePrivateServer(environment);
  const options: RunOptions = {
    cwd: environment.storage,
    timeoutMs: INSTALL_TIMEOUT_MS,
    signal: progress.signal,
    onLine: (line) => {
      progress.log(line);
      const step = /^(Collecting|Downloading|Installing collected packages)[: ]*([\w.-]+)?/.exec(line);
      if (step !== null) progress.step(`${step[1] === "Collecting" ? "looking up" : "installing"} ${step[2] ?? "packages"}`);
    },
  };
  progress.step(`making an environment with Python ${base.version.join(".")}`);
  await must(base.executable, ["-m", "venv", folder(environment)], options, explainVenv);
  const interpreter = interpreterFile(environment);
  progress.step("installing the server");
  await must(interpreter, ["-m", "pip", "install", "--no-input", environment.wheel], options, explainPip);
  await writeFile(stampFile(environment), await wheelStamp(environment.wheel));
  return interpreter;
}

async function must(
  command: string,
  args: readonly string[],
  options: RunOptions,
  explain: (output: string) => string,
): Promise<void> {
  const { code, stdout, stderr } = await run(command, args, options).catch((error: unknown) => {
    if (options.signal?.aborted === true) {
      throw new UserError("The installation of the CodeT5+ server was cancelled. Restart the server to try again.");
    }
    throw new UserError(`The CodeT5+ server could not be installed: ${messageOf(error)}.`);
  });
  if (code !== 0) throw new UserError(explain(`${stdout}\n${stderr}`), [SHOW_LOG, OPEN_SETTINGS]);
}

/** Says in one line what to do about a failed `python -m venv`. */
export function explainVenv(output: string): string {
  if (/ensurepip is not\s+available|python3-venv|No module named '?(venv|ensurepip)/.test(output)) {
    return "This Python cannot make environments. On Debian and Ubuntu run `sudo apt install python3-venv`, then restart the server.";
  }
  return "Python could not make an environment for the CodeT5+ server; the log has its words. Or set codet5p.server.path.";
}

/** Says in one line what to do about a failed `pip install`. */
export function explainPip(output: string): string {
  if (/No space left on device|Errno 28/.test(output)) {
    return "The disk is full: free about 1 GB, then restart the CodeT5+ server.";
  }
  const offline = /NewConnectionError|Failed to establish a new connection|name resolution|Connection refused|ProxyError|ReadTimeout|getaddrinfo/i;
  if (offline.test(output)) {
    return "The packages that the CodeT5+ server needs could not be fetched. Connect once and restart the server, or `pip install codet5p` elsewhere and set codet5p.server.path.";
  }
  const absent = /No matching distribution found for ([\w.-]+)/.exec(output)?.[1];
  if (absent !== undefined) {
    return `The package index has no ${absent} for this Python and this system. Install another Python (3.11 or newer), or set codet5p.server.path to a codet5p program installed elsewhere.`;
  }
  return "pip could not install the CodeT5+ server; the log has its words. Or install it yourself and set codet5p.server.path.";
}

/** Takes the lock file, waiting while a living process holds it; returns what gives it back. */
async function takeLock(file: string, progress: InstallProgress): Promise<() => Promise<void>> {
  for (;;) {
    try {
      const handle = await open(file, "wx");
      await handle.writeFile(String(process.pid));
      await handle.close();
      return () => rm(file, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    if (await isAbandoned(file)) {
      await rm(file, { force: true });
      continue;
    }
    progress.step("waiting for another window that is installing it");
    await delay(LOCK_POLL_MS, undefined, { signal: progress.signal }).catch(() => {
      throw new UserError("The installation of the CodeT5+ server was cancelled. Restart the server to try again.");
    });
  }
}

async function isAbandoned(lock: string): Promise<boolean> {
  const owner = Number(await readFile(lock, "utf8").catch(() => ""));
  // Empty means that its owner is just writing its number; the timeout of the installation bounds the wait.
  if (!Number.isInteger(owner) || owner <= 0) return (await ageMs(lock)) > LOCK_POLL_MS * 10;
  try {
    process.kill(owner, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}

async function ageMs(file: string): Promise<number> {
  return stat(file).then((found) => Date.now() - found.mtimeMs, () => 0);
}

function folder(environment: PrivateEnvironment): string {
  return path.join(environment.storage, "environment");
}

function stampFile(environment: PrivateEnvironment): string {
  return path.join(environment.storage, "installed");
}

/** Name and size: a newer wheel differs in its name, a rebuilt one in its size. */
async function wheelStamp(wheel: string): Promise<string> {
  return `${path.basename(wheel)} ${(await stat(wheel)).size}\n`;
}

function interpreterFile(environment: PrivateEnvironment): string {
  const parts = environment.platform === "win32" ? ["Scripts", "python.exe"] : ["bin", "python"];
  return path.join(folder(environment), ...parts);
}
