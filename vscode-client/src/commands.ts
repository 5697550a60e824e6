// Commands that are neither completion, docstrings nor search.

import * as vscode from "vscode";

import type { Counters } from "./counters";
import { chooseSnooze, showMenu } from "./menu";
import type { Server } from "./server";
import { toggleCompletion, toggleCompletionFor } from "./settings";
import type { Snooze } from "./snooze";

export function registerCommands(
  server: Server,
  snooze: Snooze,
  counters: Counters,
  log: vscode.LogOutputChannel,
): vscode.Disposable[] {
  const actions: Readonly<Record<string, () => unknown>> = {
    showMenu: () => showMenu(server, snooze, counters),
    snooze: () => chooseSnooze(snooze),
    endSnooze: () => {
      snooze.stop();
    },
    toggleCompletion,
    toggleCompletionForLanguage,
    restartServer: () => server.restart(),
    reinstallServer: () => server.reinstall(),
    showLog: () => {
      log.show();
    },
    resetCounters: () => {
      counters.reset();
    },
    openWalkthrough: () => openWalkthrough(),
  };
  return Object.entries(actions).map(([name, action]) => vscode.commands.registerCommand(`codet5p.${name}`, action));
}

export function openWalkthrough(): Thenable<unknown> {
  return vscode.commands.executeCommand("workbench.action.openWalkthrough", "codet5p.codet5p#start", false);
}

async function toggleCompletionForLanguage(): Promise<void> {
  const language = vscode.window.activeTextEditor?.document.languageId;
  if (language === undefined) {
    void vscode.window.showInformationMessage("Open a file first: its language is the one that is switched.");
    return;
  }
  await toggleCompletionFor(language);
}
