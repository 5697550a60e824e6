// The server as the rest of the extension sees it: what it offers, requests to it, and its life.

import * as vscode from "vscode";
import type { Middleware } from "vscode-languageclient/node";

import { NOTHING_OFFERED, STATUS_METHOD, type Offer, type StatusResult } from "./contract";
import { findServer, isSameServer, type ServerCommand } from "./discovery";
import { messageOf, OPEN_SETTINGS, RESTART, SHOW_LOG, UserError, type Remedy } from "./errors";
import { connect, type ClientSession } from "./languageClient";
import { privateEnvironment, thisMachine, versionOf } from "./machine";
import { removePrivateServer } from "./privateEnvironment";
import type { ServerPhase } from "./status";
import { Supervisor, type Clock, type SupervisorState } from "./supervisor";
import { standing } from "./versions";

const LONGEST_WORDS = 200;

export class Server {
  private session: ClientSession | undefined;
  /** The last line that the server has said on its error stream, since it was started. */
  private lastWords = "";
  private readonly supervisor: Supervisor;
  private readonly changed = new vscode.EventEmitter<ServerPhase>();
  private readonly jobEnded = new vscode.EventEmitter<void>();
  private currentPhase: ServerPhase = { kind: "stopped" };

  /** How the extension takes part in what is asked and answered; set before the first start. */
  middleware: Middleware = {};

  /** Fires whenever the server's phase, and with it perhaps its offer, has changed. */
  readonly onPhase = this.changed.event;

  /** Fires when the server has ended a long-running job, such as indexing. */
  readonly onJobEnd = this.jobEnded.event;

  constructor(
    private readonly context: vscode.ExtensionContext,
    private readonly log: vscode.LogOutputChannel,
    clock: Clock,
  ) {
    this.supervisor = new Supervisor(
      (onExit) => this.start(onExit),
      (state) => {
        this.onSupervisorState(state);
      },
      clock,
    );
  }

  get phase(): ServerPhase {
    return this.currentPhase;
  }

  get offer(): Offer {
    return this.currentPhase.kind === "running" ? (this.session?.offer ?? NOTHING_OFFERED) : NOTHING_OFFERED;
  }

  /** Where the running server was found; undefined while none runs. */
  get command(): ServerCommand | undefined {
    return this.currentPhase.kind === "running" ? this.session?.command : undefined;
  }

  /** Says in one line why it does not do `task`: a command came too early, or is not on offer. */
  whyNot(task: string): string {
    const { currentPhase: phase } = this;
    if (phase.kind === "running") return `This CodeT5+ server cannot ${task}.`;
    if (phase.kind === "failed") return `The CodeT5+ server does not run: ${phase.message}`;
    if (phase.kind === "stopped") return "The CodeT5+ server is stopped: restart it first.";
    return "The CodeT5+ server is not ready yet: try again in a moment.";
  }

  /** Sends a request; undefined when no server runs. Rejects with the server's error. */
  async request<Result>(method: string, params: unknown, token?: vscode.CancellationToken): Promise<Result | undefined> {
    if (this.command === undefined) return undefined;
    return this.session?.client.sendRequest<Result>(method, params, token);
  }

  notify(method: string, params: unknown): void {
    if (this.command === undefined) return;
    this.session?.client.sendNotification(method, params).catch((error: unknown) => {
      this.log.debug(`${method}: ${messageOf(error)}`);
    });
  }

  /** For who follows the server's progress. */
  reportJobEnd(): void {
    this.jobEnded.fire();
  }

  async status(): Promise<StatusResult | undefined> {
    return this.request<StatusResult>(STATUS_METHOD, {}).catch((error: unknown) => {
      this.log.debug(`${STATUS_METHOD}: ${messageOf(error)}`);
      return undefined;
    });
  }

  restart(): Promise<void> {
    return this.supervisor.restart();
  }

  /** Restarts if another server would be chosen now, for example after the interpreter was changed. */
  async restartIfMoved(): Promise<void> {
    if (this.session === undefined) return this.restart();
    const found = await findServer(this.machine()).catch(() => undefined);
    if (found === undefined || !isSameServer(this.session.command, found)) await this.restart();
  }

  async reinstall(): Promise<void> {
    await this.supervisor.stop();
    await removePrivateServer(privateEnvironment(this.context));
    await this.restart();
  }

  stop(): Promise<void> {
    return this.supervisor.stop();
  }

  private async start(onExit: () => void): Promise<ClientSession> {
    const command = await findServer(this.machine());
    this.log.info(`Starting the server from the ${command.origin}: ${command.command} ${command.args.join(" ")}`);
    this.setPhase({ kind: "starting" });
    this.lastWords = "";
    const onWords = (line: string): void => {
      this.lastWords = line;
    };
    this.session = await connect(command, this.middleware, this.log, { onExit, onWords });
    this.warnAboutVersion(this.session);
    return this.session;
  }

  private machine(): ReturnType<typeof thisMachine> {
    return thisMachine(this.context, this.log, (step) => {
      this.setPhase({ kind: "installing", step });
    });
  }

  private onSupervisorState(state: SupervisorState): void {
    switch (state.kind) {
      case "failed":
        this.fail(messageOf(state.error), state.error instanceof UserError ? state.error.remedies : [SHOW_LOG, RESTART]);
        break;
      case "gave-up":
        this.fail(gaveUpMessage(state.crashes, this.lastWords), [RESTART, SHOW_LOG, OPEN_SETTINGS]);
        break;
      default:
        this.setPhase(state);
    }
  }

  private fail(message: string, remedies: readonly Remedy[]): void {
    this.log.error(message);
    this.setPhase({ kind: "failed", message });
    void offerRemedies(message, remedies, "error");
  }

  private setPhase(phase: ServerPhase): void {
    this.currentPhase = phase;
    this.changed.fire(phase);
  }

  private warnAboutVersion({ offer, command }: ClientSession): void {
    const ours = versionOf(this.context);
    const verdict = standing(ours, offer.version);
    this.log.info(`Server version ${offer.version ?? "unknown"}, extension ${ours}: ${verdict}.`);
    const theirs = offer.version ?? "";
    if (verdict === "server-older") {
      void offerRemedies(`The CodeT5+ server (${theirs}, ${command.command}) is older than this extension (${ours}): update it with \`pip install --upgrade codet5p\`.`, [SHOW_LOG], "warning");
    } else if (verdict === "server-newer") {
      void offerRemedies(`The CodeT5+ server (${theirs}, ${command.command}) is newer than this extension (${ours}): update the extension.`, [SHOW_LOG], "warning");
    }
  }
}

function gaveUpMessage(crashes: number, lastWords: string): string {
  const reason = lastWords === "" ? "" : ` Its last words: ${lastWords.slice(0, LONGEST_WORDS)}`;
  return `The CodeT5+ server ended ${crashes} times in a row; it is not started again by itself.${reason}`;
}

async function offerRemedies(message: string, remedies: readonly Remedy[], severity: "error" | "warning"): Promise<void> {
  const show = severity === "error" ? vscode.window.showErrorMessage : vscode.window.showWarningMessage;
  const chosen = await show(message, ...remedies.map((remedy) => remedy.label));
  const remedy = remedies.find((candidate) => candidate.label === chosen);
  if (remedy !== undefined) await vscode.commands.executeCommand(remedy.command, ...(remedy.args ?? []));
}
