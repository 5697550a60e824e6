// One connection to one server process.

import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";

import * as vscode from "vscode";
import {
  CloseAction,
  ErrorAction,
  LanguageClient,
  RevealOutputChannelOn,
  type LanguageClientOptions,
  type Middleware,
} from "vscode-languageclient/node";

import { readOffer, type Offer } from "./contract";
import type { ServerCommand } from "./discovery";
import { messageOf, OPEN_SETTINGS, SHOW_LOG, UserError } from "./errors";
import { SAFE_FOLDER } from "./machine";
import { settingsForServer, SECTION } from "./settings";
import type { Session } from "./supervisor";

/** Documents of any language: which ones it serves is the server's to decide. */
const SCHEMES = ["file", "untitled", "vscode-vfs", "vscode-notebook-cell"];
const STOP_TIMEOUT_MS = 2_000;
const EXIT_GRACE_MS = 1_000;

export interface ClientSession extends Session {
  readonly client: LanguageClient;
  readonly offer: Offer;
  readonly command: ServerCommand;
}

/** What happens to a server that no one has asked for. */
export interface ServerEvents {
  /** It ended uninvited. */
  readonly onExit: () => void;
  /** It has said something on its error stream, which goes to the log as well. */
  readonly onWords: (line: string) => void;
}

/**
 * Starts `command` and resolves once it has answered `initialize`; throws UserError when it does not. Where it has ended
 * instead, `onExit` is called first.
 */
export async function connect(
  command: ServerCommand,
  middleware: Middleware,
  log: vscode.LogOutputChannel,
  events: ServerEvents,
): Promise<ClientSession> {
  let tellExit: () => void = () => undefined;
  const exited = new Promise<void>((resolve) => {
    tellExit = resolve;
  });
  const onExit = (): void => {
    events.onExit();
    tellExit();
  };
  const client = new QuietClient(
    SECTION,
    "CodeT5+",
    { command: command.command, args: [...command.args], options: { cwd: SAFE_FOLDER } },
    clientOptions(middleware, log, { ...events, onExit }),
  );
  await client.start().catch(async (error: unknown) => {
    await Promise.race([exited, delay(EXIT_GRACE_MS)]); // a broken pipe is often seen before the end that broke it
    throw new UserError(
      `${command.command} was started and did not answer as a CodeT5+ server (${messageOf(error)}).`,
      command.origin === "setting" ? [OPEN_SETTINGS, SHOW_LOG] : [SHOW_LOG],
    );
  });
  return {
    client,
    command,
    offer: readOffer(client.initializeResult),
    stop: () => stopClient(client, log),
  };
}

/** Its errors go to the log. What the user has to know is said once, in a line of our own. */
class QuietClient extends LanguageClient {
  override error(message: string, data?: unknown): void {
    super.error(message, data, false);
  }
}

function clientOptions(middleware: Middleware, log: vscode.LogOutputChannel, { onExit, onWords }: ServerEvents): LanguageClientOptions {
  const follow = (input: Readable): void => {
    createInterface({ input, terminal: false }).on("line", (line) => {
      log.error(line);
      if (line.trim() !== "") onWords(line.trim());
    });
  };
  return {
    documentSelector: SCHEMES.map((scheme) => ({ scheme })),
    initializationOptions: settingsForServer,
    outputChannel: log,
    stdioOptions: { stdout: follow, stderr: follow },
    revealOutputChannelOn: RevealOutputChannelOn.Never,
    middleware,
    initializationFailedHandler: () => false,
    errorHandler: {
      error: () => ({ action: ErrorAction.Continue, handled: true }),
      closed: () => {
        onExit();
        return { action: CloseAction.DoNotRestart, handled: true, message: "The server's connection was closed." };
      },
    },
  };
}

async function stopClient(client: LanguageClient, log: vscode.LogOutputChannel): Promise<void> {
  try {
    await client.dispose(STOP_TIMEOUT_MS);
  } catch (error) {
    log.debug(`Stopping the server: ${messageOf(error)}`);
  }
}
