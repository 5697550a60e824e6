// One connection to one server process.

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
import { messageOf } from "./errors";
import { SAFE_FOLDER } from "./machine";
import { settingsForServer, SECTION } from "./settings";
import type { Session } from "./supervisor";

/** Documents of any language: which ones it serves is the server's to decide. */
const SCHEMES = ["file", "untitled", "vscode-vfs", "vscode-notebook-cell"];
const STOP_TIMEOUT_MS = 2_000;

export interface ClientSession extends Session {
  readonly client: LanguageClient;
  readonly offer: Offer;
  readonly command: ServerCommand;
}

/** Starts `command` and resolves once it has answered `initialize`; `onExit` is called if it ends uninvited. */
export async function connect(
  command: ServerCommand,
  middleware: Middleware,
  log: vscode.LogOutputChannel,
  onExit: () => void,
): Promise<ClientSession> {
  const client = new LanguageClient(
    SECTION,
    "CodeT5+",
    { command: command.command, args: [...command.args], options: { cwd: SAFE_FOLDER } },
    clientOptions(middleware, log, onExit),
  );
  await client.start();
  return {
    client,
    command,
    offer: readOffer(client.initializeResult),
    stop: () => stopClient(client, log),
  };
}

function clientOptions(
  middleware: Middleware,
  log: vscode.LogOutputChannel,
  onExit: () => void,
): LanguageClientOptions {
  return {
    documentSelector: SCHEMES.map((scheme) => ({ scheme })),
    initializationOptions: settingsForServer,
    outputChannel: log,
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
