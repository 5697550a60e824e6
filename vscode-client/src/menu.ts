// The menu behind the status bar item: figures on top, actions below.

import * as vscode from "vscode";

import { describeCounts, type Counters } from "./counters";
import { hasFolderOnDisk } from "./search";
import type { Server } from "./server";
import { isCompletionEnabled } from "./settings";
import { SNOOZE_MINUTES, type Snooze } from "./snooze";
import { describeStatus } from "./status";

interface MenuItem extends vscode.QuickPickItem {
  readonly run?: string;
  readonly args?: readonly unknown[];
}

export async function showMenu(server: Server, snooze: Snooze, counters: Counters): Promise<void> {
  const items = [...(await figures(server, counters)), { label: "", kind: vscode.QuickPickItemKind.Separator }, ...actions(server, snooze)];
  const chosen = await vscode.window.showQuickPick<MenuItem>(items, { title: "CodeT5+", placeHolder: "What should be done?" });
  if (chosen?.run !== undefined) await vscode.commands.executeCommand(chosen.run, ...(chosen.args ?? []));
}

export async function chooseSnooze(snooze: Snooze): Promise<void> {
  const items = SNOOZE_MINUTES.map((minutes) => ({ label: `${minutes} minutes`, minutes }));
  const chosen = await vscode.window.showQuickPick(items, { title: "Snooze completion for" });
  if (chosen !== undefined) snooze.start(chosen.minutes);
}

async function figures(server: Server, counters: Counters): Promise<readonly MenuItem[]> {
  const { phase, command } = server;
  if (phase.kind === "failed") return [{ label: `$(error) ${phase.message}`, run: "codet5p.showLog" }];
  if (command === undefined) return [{ label: `$(info) The server is ${phase.kind}`, run: "codet5p.showLog" }];
  const status = await server.status();
  const lines = status === undefined ? ["$(info) The server does not report its state"] : describeStatus(status);
  return [
    { label: `$(vm-running) Server ${server.offer.version ?? ""} from the ${command.origin}`, run: "codet5p.showLog" },
    ...(typeof status?.error === "string" ? [{ label: `$(error) ${status.error}`, run: "codet5p.showLog" }] : []),
    ...lines.map((label) => ({ label })),
    { label: `$(graph) ${describeCounts(counters.counts)}`, description: "kept on this machine" },
  ];
}

function actions(server: Server, snooze: Snooze): readonly MenuItem[] {
  const language = vscode.window.activeTextEditor?.document.languageId;
  const { offer } = server;
  return [
    snooze.until === undefined
      ? { label: "$(bell-slash) Snooze completion...", run: "codet5p.snooze" }
      : { label: "$(bell) End snooze", run: "codet5p.endSnooze" },
    ...(language === undefined
      ? []
      : [{ label: `$(code) ${verb(language)} completion for ${language}`, run: "codet5p.toggleCompletionForLanguage" }]),
    { label: `$(globe) ${verb(undefined)} completion everywhere`, run: "codet5p.toggleCompletion" },
    ...(offer.search && hasFolderOnDisk() ? searchActions : []),
    ...(offer.similar && hasFolderOnDisk() ? [{ label: "$(references) Find code like that at the cursor", run: "codet5p.findSimilarCode" }] : []),
    { label: "$(debug-restart) Restart the server", run: "codet5p.restartServer" },
    { label: "$(output) Show the log", run: "codet5p.showLog" },
    { label: "$(gear) Settings", run: "workbench.action.openSettings", args: ["@ext:codet5p.codet5p"] },
    { label: "$(book) Walkthrough", run: "codet5p.openWalkthrough" },
  ];
}

/** The last two are commands of the server, which the client registers under its names. */
const searchActions: readonly MenuItem[] = [
  { label: "$(search) Find code by description", run: "codet5p.findCode" },
  { label: "$(debug-pause) Pause indexing", run: "codet5p.pauseIndexing" },
  { label: "$(debug-continue) Resume indexing", run: "codet5p.resumeIndexing" },
];

function verb(language: string | undefined): string {
  return isCompletionEnabled(language) ? "Switch off" : "Switch on";
}
