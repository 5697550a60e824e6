// Shows a change to a file as a difference, and asks whether to make it. Works with the keyboard alone.

import * as vscode from "vscode";

const SCHEME = "codet5p-change";

/** The file as it would be, by the address of its preview. */
const texts = new Map<string, string>();
let previews = 0;

export function registerChangePreview(): vscode.Disposable {
  return vscode.workspace.registerTextDocumentContentProvider(SCHEME, {
    provideTextDocumentContent: (uri) => texts.get(uri.toString()) ?? "",
  });
}

/** Shows `document` with `newText` in place of `range` beside what is there now; resolves to whether to do it. */
export async function confirmChange(
  document: vscode.TextDocument,
  range: vscode.Range,
  newText: string,
  title: string,
): Promise<boolean> {
  // The path keeps its ending, which gives the preview its colours; the query makes it a new document each time.
  const changed = vscode.Uri.from({ scheme: SCHEME, path: document.uri.path, query: String(++previews) });
  const text = document.getText();
  texts.set(changed.toString(), text.slice(0, document.offsetAt(range.start)) + newText + text.slice(document.offsetAt(range.end)));
  try {
    const selection = new vscode.Range(range.start, range.start);
    await vscode.commands.executeCommand("vscode.diff", document.uri, changed, title, { preview: true, selection, preserveFocus: true });
    const yes = { label: `$(check) ${title}` };
    const no = { label: "$(close) Leave the file as it is" };
    const chosen = await vscode.window.showQuickPick([yes, no], { title: "CodeT5+", placeHolder: "Make this change?", ignoreFocusOut: true });
    return chosen === yes;
  } finally {
    await closePreview(changed);
    texts.delete(changed.toString());
  }
}

async function closePreview(changed: vscode.Uri): Promise<void> {
  const isPreview = ({ input }: vscode.Tab): boolean =>
    input instanceof vscode.TabInputTextDiff && input.modified.toString() === changed.toString();
  await vscode.window.tabGroups.close(vscode.window.tabGroups.all.flatMap((group) => group.tabs).filter(isPreview));
}
