// This machine, as the search for a server sees it.

import * as os from "node:os";
import * as path from "node:path";
import * as vscode from "vscode";

import type { Machine } from "./discovery";
import {
  findOnPath,
  isExecutable,
  probeInterpreter,
  programVersion,
  PYTHON_NAMES,
  type Interpreter,
} from "./interpreters";
import { installedInterpreter, installPrivateServer, type PrivateEnvironment } from "./privateEnvironment";
import { selectedInterpreterPath } from "./pythonExtension";
import { configuredCacheFolder, configuredServerPath } from "./settings";

/** Probes run in the temporary folder: Python imports from where it stands, and that must not be the user's code. */
export const SAFE_FOLDER = os.tmpdir();

export function privateEnvironment(context: vscode.ExtensionContext): PrivateEnvironment {
  const version = versionOf(context);
  return {
    storage: context.globalStorageUri.fsPath,
    wheel: context.asAbsolutePath(path.join("server", `codet5p-${version}-py3-none-any.whl`)),
    platform: process.platform,
  };
}

export function versionOf(context: vscode.ExtensionContext): string {
  return (context.extension.packageJSON as { readonly version: string }).version;
}

export function thisMachine(
  context: vscode.ExtensionContext,
  log: vscode.LogOutputChannel,
  onInstallStep: (step: string) => void,
): Machine {
  const searchPath = process.env["PATH"] ?? "";
  const environment = privateEnvironment(context);
  return {
    configuredPath: configuredServerPath(),
    cacheFolder: configuredCacheFolder(),
    clientVersion: versionOf(context),
    isExecutable,
    log: (line) => {
      log.info(line);
    },
    selectedInterpreter: async () => {
      const executable = await selectedInterpreterPath();
      return executable === undefined ? undefined : probeInterpreter(executable, SAFE_FOLDER);
    },
    programOnPath: async () => {
      const file = await findOnPath("codet5p", searchPath, process.platform);
      return file === undefined ? undefined : { file, version: await programVersion(file, SAFE_FOLDER) };
    },
    interpretersOnPath: () => interpretersOn(searchPath),
    privateInterpreter: async (bases) =>
      (await installedInterpreter(environment)) ?? installWithProgress(environment, bases, log, onInstallStep),
  };
}

async function interpretersOn(searchPath: string): Promise<readonly Interpreter[]> {
  const found = new Map<string, Interpreter>();
  for (const name of PYTHON_NAMES) {
    const file = await findOnPath(name, searchPath, process.platform);
    const interpreter = file === undefined ? undefined : await probeInterpreter(file, SAFE_FOLDER);
    if (interpreter !== undefined) found.set(interpreter.executable, interpreter);
  }
  return [...found.values()];
}

/** Installs behind a notification that says what is going on and can be cancelled. */
function installWithProgress(
  environment: PrivateEnvironment,
  bases: readonly Interpreter[],
  log: vscode.LogOutputChannel,
  onStep: (step: string) => void,
): Thenable<string> {
  const options = {
    location: vscode.ProgressLocation.Notification,
    title: "Installing the CodeT5+ server (once)",
    cancellable: true,
  };
  return vscode.window.withProgress(options, (progress, token) => {
    const abort = new AbortController();
    token.onCancellationRequested(() => {
      abort.abort();
    });
    return installPrivateServer(environment, bases, {
      signal: abort.signal,
      log: (line) => {
        log.info(line);
      },
      step: (step) => {
        progress.report({ message: step });
        onStep(step);
      },
    });
  });
}
