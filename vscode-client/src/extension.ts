// Entry point: makes the parts and connects them.

import * as vscode from "vscode";

import { registerChangePreview } from "./changePreview";
import { registerCommands, openWalkthrough } from "./commands";
import { Counters } from "./counters";
import { hoverMiddleware, registerDocstringCommands } from "./docstring";
import { InlineCompletion } from "./inlineCompletion";
import { onInterpreterChange } from "./pythonExtension";
import { hasFolderOnDisk, registerSearchCommands } from "./search";
import { Server } from "./server";
import { settingsForServer, SECTION } from "./settings";
import { Snooze } from "./snooze";
import { StatusBar } from "./statusBar";
import type { Clock } from "./supervisor";

const SETTINGS_METHOD = "workspace/didChangeConfiguration";
const SEEN_WALKTHROUGH = "codet5p.seenWalkthrough";

let running: Server | undefined;

export function activate(context: vscode.ExtensionContext): void {
  const log = vscode.window.createOutputChannel("CodeT5+", { log: true });
  const counters = new Counters(context.globalState);
  const server = new Server(context, log, systemClock);
  const snooze = new Snooze(systemClock, () => {
    void vscode.commands.executeCommand("setContext", "codet5p.snoozed", snooze.until !== undefined);
    statusBar.refresh();
  });
  const completion = new InlineCompletion(server, snooze, counters, log);
  const statusBar = new StatusBar(server, snooze);
  server.middleware = {
    ...completion.middleware,
    ...statusBar.middleware,
    ...hoverMiddleware(server),
    // Ghost text says the same; the ordinary list stays free for the language's own server.
    provideCompletionItem: () => undefined,
    workspace: { configuration: () => [settingsForServer()] },
  };
  running = server;
  context.subscriptions.push(
    log,
    statusBar,
    server.onPhase(() => {
      void statusBar.onPhase();
      publishOffer(server);
    }),
    vscode.workspace.onDidChangeWorkspaceFolders(() => {
      publishOffer(server);
    }),
    ...completion.register(),
    ...registerCommands(server, snooze, counters, log),
    registerChangePreview(),
    ...registerDocstringCommands(server),
    ...registerSearchCommands(server),
    ...settingsTriggers(server),
  );
  statusBar.refresh();
  void server.restart();
  void onInterpreterChange(() => void server.restartIfMoved()).then((subscription) => {
    if (subscription !== undefined) context.subscriptions.push(subscription);
  });
  void showWalkthroughOnce(context);
}

export function deactivate(): Promise<void> | undefined {
  return running?.stop();
}

function settingsTriggers(server: Server): vscode.Disposable[] {
  return [
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration("codet5p.server")) void server.restartIfMoved();
      else if (event.affectsConfiguration(SECTION)) server.notify(SETTINGS_METHOD, { settings: { [SECTION]: settingsForServer() } });
    }),
    vscode.workspace.onDidGrantWorkspaceTrust(() => void server.restartIfMoved()),
  ];
}

/** Context keys: what the server cannot do is neither in menus nor on keys. */
function publishOffer(server: Server): void {
  const keys = {
    "codet5p.running": server.phase.kind === "running",
    "codet5p.canSearch": server.offer.search && hasFolderOnDisk(),
    "codet5p.canFindSimilar": server.offer.similar && hasFolderOnDisk(),
    "codet5p.canWriteDocstrings": server.offer.docstring,
  };
  for (const [key, value] of Object.entries(keys)) void vscode.commands.executeCommand("setContext", key, value);
}

async function showWalkthroughOnce(context: vscode.ExtensionContext): Promise<void> {
  const isWanted = vscode.workspace.getConfiguration("workbench.welcomePage.walkthroughs").get("openOnInstall") !== false;
  if (context.globalState.get(SEEN_WALKTHROUGH) === true || !isWanted) return;
  await context.globalState.update(SEEN_WALKTHROUGH, true);
  await openWalkthrough();
}

const systemClock: Clock = {
  now: () => Date.now(),
  after: (delayMs, action) => {
    const timer = setTimeout(action, delayMs);
    return () => {
      clearTimeout(timer);
    };
  },
};
