// Decides which server to start. The answer is plain data, so that two answers can be compared.

import { OPEN_SETTINGS, UserError } from "./errors";
import { isSupported, type Interpreter } from "./interpreters";
import { standing } from "./versions";

/** Where a server was found, in the order of preference. */
export type Origin = "setting" | "selected Python environment" | "PATH" | "private environment";

export interface ServerCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly origin: Origin;
}

/** What the search may ask of the machine; tests answer in its place. */
export interface Machine {
  /** `codet5p.server.path`, trimmed; empty when unset. */
  readonly configuredPath: string;
  /** `codet5p.server.cacheFolder`, trimmed; empty for the user's cache. */
  readonly cacheFolder: string;
  readonly clientVersion: string;
  isExecutable(file: string): Promise<boolean>;
  /** The interpreter that the Python extension has selected; undefined without one, or in an untrusted folder. */
  selectedInterpreter(): Promise<Interpreter | undefined>;
  /** A `codet5p` program on PATH and the version it reports. */
  programOnPath(): Promise<{ readonly file: string; readonly version: string | undefined } | undefined>;
  /** Interpreters on PATH. */
  interpretersOnPath(): Promise<readonly Interpreter[]>;
  /** The private environment's interpreter, installed first if need be. */
  privateInterpreter(bases: readonly Interpreter[]): Promise<string>;
  log(line: string): void;
}

/**
 * Returns the server to start: the configured one, else one of a fitting version in the selected Python environment or
 * on PATH, else the private one.
 *
 * Throws UserError when the setting points nowhere (a silent fallback would hide the mistake), or when the private
 * environment cannot be made.
 */
export async function findServer(machine: Machine): Promise<ServerCommand> {
  const found = await findProgram(machine);
  return machine.cacheFolder === "" ? found : { ...found, args: [...found.args, "--cache", machine.cacheFolder] };
}

async function findProgram(machine: Machine): Promise<ServerCommand> {
  if (machine.configuredPath !== "") return configuredServer(machine);
  const selected = await machine.selectedInterpreter();
  if (selected !== undefined && hasFittingServer(machine, selected)) {
    return moduleCommand(selected.executable, "selected Python environment");
  }
  const program = await machine.programOnPath();
  if (program !== undefined && fits(machine, program.file, program.version)) {
    return { command: program.file, args: ["serve"], origin: "PATH" };
  }
  const onPath = await machine.interpretersOnPath();
  const withServer = onPath.find((interpreter) => hasFittingServer(machine, interpreter));
  if (withServer !== undefined) return moduleCommand(withServer.executable, "PATH");
  const bases = selected === undefined ? onPath : [...onPath, selected];
  return moduleCommand(await machine.privateInterpreter(bases), "private environment");
}

async function configuredServer(machine: Machine): Promise<ServerCommand> {
  if (!(await machine.isExecutable(machine.configuredPath))) {
    throw new UserError(
      `The setting codet5p.server.path names ${machine.configuredPath}, which is not a program. Correct it, or empty it to let the extension find the server.`,
      [OPEN_SETTINGS],
    );
  }
  return { command: machine.configuredPath, args: ["serve"], origin: "setting" };
}

/** `-P` keeps the working directory off the import path (Python 3.11 and later, which the server needs anyway). */
function moduleCommand(executable: string, origin: Origin): ServerCommand {
  return { command: executable, args: ["-P", "-m", "codet5p", "serve"], origin };
}

function hasFittingServer(machine: Machine, interpreter: Interpreter): boolean {
  if (interpreter.serverVersion === undefined || !isSupported(interpreter)) return false;
  return fits(machine, interpreter.executable, interpreter.serverVersion);
}

function fits(machine: Machine, where: string, serverVersion: string | undefined): boolean {
  const verdict = standing(machine.clientVersion, serverVersion);
  if (verdict === "compatible" || verdict === "unknown") return true;
  machine.log(`Passed over the server ${serverVersion ?? ""} of ${where}: this extension is ${machine.clientVersion}.`);
  return false;
}

export function isSameServer(left: ServerCommand | undefined, right: ServerCommand): boolean {
  return left?.command === right.command && left.args.join("\0") === right.args.join("\0");
}
