// An extension that is a test fake: in the place of `ms-python.python`, with the part of its public API that is used. Its
// interpreters are those of a setting; the first is selected, until a command selects the next.

import * as vscode from "vscode";

interface Environment {
  readonly path: string;
}

export function activate(context: vscode.ExtensionContext): unknown {
  const changed = new vscode.EventEmitter<Environment>();
  let selected = 0;
  const environment = (): Environment => {
    const interpreters = vscode.workspace.getConfiguration("fakePython").get<readonly string[]>("interpreters") ?? [];
    return { path: interpreters[selected] ?? "" };
  };
  const selectNext = (): void => {
    selected++;
    changed.fire(environment());
  };
  context.subscriptions.push(vscode.commands.registerCommand("fakePython.selectNext", selectNext));
  return {
    environments: {
      getActiveEnvironmentPath: environment,
      resolveEnvironment: ({ path }: Environment) => Promise.resolve({ executable: { uri: vscode.Uri.file(path) } }),
      onDidChangeActiveEnvironmentPath: changed.event,
    },
  };
}
