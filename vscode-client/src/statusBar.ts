// The status bar item: follows the server, the settings and the editor.

import * as vscode from "vscode";
import type { Middleware } from "vscode-languageclient/node";

import type { Server } from "./server";
import { completionOff, SECTION } from "./settings";
import type { Snooze } from "./snooze";
import { statusView, type Job, type Situation } from "./status";

const BACKGROUND = {
  normal: undefined,
  warning: new vscode.ThemeColor("statusBarItem.warningBackground"),
  error: new vscode.ThemeColor("statusBarItem.errorBackground"),
};
const MINUTE_MS = 60_000;

export class StatusBar implements vscode.Disposable {
  private readonly item: vscode.StatusBarItem;
  private readonly subscriptions: readonly { dispose(): unknown }[];
  private readonly jobs = new Map<string | number, Job>();
  private problem: string | undefined;

  constructor(
    private readonly server: Server,
    private readonly snooze: Snooze,
  ) {
    this.item = vscode.window.createStatusBarItem("codet5p.status", vscode.StatusBarAlignment.Right, 90);
    this.item.name = "CodeT5+";
    this.item.command = "codet5p.showMenu";
    const minutes = setInterval(() => {
      if (this.snooze.until !== undefined) this.refresh();
    }, MINUTE_MS);
    this.subscriptions = [
      this.item,
      {
        dispose: () => {
          clearInterval(minutes);
        },
      },
      vscode.window.onDidChangeActiveTextEditor(() => {
        this.refresh();
      }),
      vscode.workspace.onDidChangeConfiguration((event) => {
        if (event.affectsConfiguration(SECTION)) this.refresh();
      }),
    ];
  }

  /** Follows the jobs that the server reports, and asks it for its state when one has ended. */
  readonly middleware: Pick<Middleware, "handleWorkDoneProgress"> = {
    handleWorkDoneProgress: (token, params, next) => {
      if (params.kind === "end") {
        this.jobs.delete(token);
        this.server.reportJobEnd();
        void this.askServer();
      } else {
        const title = params.kind === "begin" ? params.title : (this.jobs.get(token)?.title ?? "");
        this.jobs.set(token, { title, message: params.message });
      }
      this.refresh();
      // Without its begin the client's own progress stays hidden; the end lets it clean up.
      if (params.kind === "end") next(token, params);
    },
  };

  /** Shows the server's new phase; a server that has just come up is asked whether it has its model. */
  async onPhase(): Promise<void> {
    this.jobs.clear();
    this.problem = undefined;
    this.refresh();
    await this.askServer();
  }

  refresh(): void {
    const view = statusView(this.situation(), Date.now());
    this.item.text = view.text;
    this.item.tooltip = view.tooltip;
    this.item.backgroundColor = BACKGROUND[view.severity];
    this.item.accessibilityInformation = { label: view.tooltip };
    this.item.show();
  }

  dispose(): void {
    for (const subscription of this.subscriptions) subscription.dispose();
  }

  private async askServer(): Promise<void> {
    const status = await this.server.status();
    this.problem = status?.error?.replace("--cache", "the setting codet5p.server.cacheFolder");
    this.refresh();
  }

  private situation(): Situation {
    return {
      phase: this.server.phase,
      job: [...this.jobs.values()].at(-1),
      snoozedUntil: this.snooze.until,
      off: completionOff(vscode.window.activeTextEditor?.document.languageId),
      problem: this.problem,
    };
  }
}
