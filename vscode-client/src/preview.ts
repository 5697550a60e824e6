// Shows search results in the editor while the list is open, and puts everything back when none is taken.

import * as vscode from "vscode";

export class Preview implements vscode.Disposable {
  private readonly origin = vscode.window.activeTextEditor;
  private readonly originSelection = this.origin?.selection;
  private readonly openBefore = new Set(openFiles());
  private readonly highlight = vscode.window.createTextEditorDecorationType({
    backgroundColor: new vscode.ThemeColor("editor.rangeHighlightBackground"),
    isWholeLine: true,
  });
  private latest = 0;

  /** Shows `range` without taking the keyboard from the list; of calls in quick succession the last one counts. */
  async show(uri: vscode.Uri, range: vscode.Range): Promise<void> {
    const turn = ++this.latest;
    const document = await vscode.workspace.openTextDocument(uri);
    if (turn !== this.latest) return;
    const editor = await vscode.window.showTextDocument(document, { preview: true, preserveFocus: true });
    if (turn !== this.latest) return;
    editor.revealRange(range, vscode.TextEditorRevealType.InCenterIfOutsideViewport);
    editor.setDecorations(this.highlight, [range]);
  }

  async take(uri: vscode.Uri, range: vscode.Range): Promise<void> {
    this.latest++;
    const selection = new vscode.Range(range.start, range.start);
    const editor = await vscode.window.showTextDocument(uri, { preview: false, selection });
    editor.revealRange(range, vscode.TextEditorRevealType.InCenterIfOutsideViewport);
  }

  /** Goes back to where the user was, and closes what only the preview had opened. */
  async undo(): Promise<void> {
    this.latest++;
    if (this.origin !== undefined) {
      const selection = this.originSelection;
      await vscode.window.showTextDocument(this.origin.document, {
        ...(this.origin.viewColumn === undefined ? {} : { viewColumn: this.origin.viewColumn }),
        ...(selection === undefined ? {} : { selection }),
        preview: false,
      });
    }
    const extra = vscode.window.tabGroups.all
      .flatMap((group) => group.tabs)
      .filter((tab) => tab.isPreview && !tab.isDirty && !this.openBefore.has(fileOf(tab)));
    await vscode.window.tabGroups.close(extra);
  }

  dispose(): void {
    this.highlight.dispose();
  }
}

function openFiles(): string[] {
  return vscode.window.tabGroups.all.flatMap((group) => group.tabs).map(fileOf);
}

function fileOf(tab: vscode.Tab): string {
  return tab.input instanceof vscode.TabInputText ? tab.input.uri.toString() : "";
}
