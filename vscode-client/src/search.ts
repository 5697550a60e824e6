// Find Code by Description and Find Similar Code: a list that follows the typing, with the code shown beside it.

import * as vscode from "vscode";

import { SEARCH_METHOD, type SearchHit, type SearchParams, type SearchResult } from "./contract";
import { messageOf } from "./errors";
import { Preview } from "./preview";
import { firstLine, labelOf, paragraphAround, parseQuery, RESULT_LIMIT, titleOf, toggleFilter } from "./searchQuery";
import type { Server } from "./server";

interface HitItem extends vscode.QuickPickItem {
  readonly uri: vscode.Uri;
  readonly range: vscode.Range;
}

const TYPING_PAUSE_MS = 150;
const TITLE = "Find Code by Description";
const LANGUAGE_BUTTON: vscode.QuickInputButton = { iconPath: new vscode.ThemeIcon("code"), tooltip: "Only this file's language (lang:)" };
const FOLDER_BUTTON: vscode.QuickInputButton = { iconPath: new vscode.ThemeIcon("folder"), tooltip: "Only this file's folder (path:)" };

export function registerSearchCommands(server: Server): vscode.Disposable[] {
  const command = (name: string, run: () => Promise<void> | void): vscode.Disposable =>
    vscode.commands.registerCommand(name, () => {
      if (server.offer.search) return run();
      void vscode.window.showInformationMessage("This CodeT5+ server cannot search code.");
      return undefined;
    });
  return [
    command("codet5p.findCode", () => {
      new SearchList(server).open();
    }),
    command("codet5p.findSimilarCode", () => findSimilar(server)),
  ];
}

/** One opening of the list. With `code`, that is what is searched for and the input line only filters the hits. */
class SearchList {
  private readonly pick = vscode.window.createQuickPick<HitItem>();
  private readonly preview = new Preview();
  private readonly editor = vscode.window.activeTextEditor;
  private running: vscode.CancellationTokenSource | undefined;
  private timer: NodeJS.Timeout | undefined;
  private isTaken = false;

  constructor(
    private readonly server: Server,
    private readonly code?: SearchParams,
  ) {}

  open(): void {
    const { pick } = this;
    pick.title = this.code === undefined ? TITLE : "Find Similar Code";
    pick.placeholder =
      this.code === undefined
        ? "What should the code do? Filters: lang:python path:src/"
        : "Type to narrow the list down";
    pick.matchOnDescription = this.code !== undefined;
    pick.ignoreFocusOut = true;
    if (this.code === undefined) {
      pick.buttons = [LANGUAGE_BUTTON, FOLDER_BUTTON];
      pick.onDidChangeValue((value) => {
        this.schedule(parseQuery(value));
      });
      pick.onDidTriggerButton((button) => {
        this.toggle(button);
      });
    } else {
      void this.search(this.code);
    }
    pick.onDidChangeActive(([item]) => {
      if (item !== undefined) void this.preview.show(item.uri, item.range).then(undefined, ignoreVanished);
    });
    pick.onDidAccept(() => void this.accept());
    pick.onDidHide(() => void this.close());
    pick.show();
  }

  private schedule(params: SearchParams | undefined): void {
    clearTimeout(this.timer);
    this.running?.cancel();
    if (params === undefined) {
      this.pick.items = [];
      return;
    }
    this.timer = setTimeout(() => void this.search(params), TYPING_PAUSE_MS);
  }

  private async search(params: SearchParams): Promise<void> {
    const source = new vscode.CancellationTokenSource();
    this.running = source;
    this.pick.busy = true;
    try {
      const result = await this.server.request<SearchResult>(SEARCH_METHOD, params, source.token);
      if (!source.token.isCancellationRequested) this.fill(result);
    } catch (error) {
      if (!source.token.isCancellationRequested) this.pick.title = `${TITLE}: ${messageOf(error)}`;
    } finally {
      if (this.running === source) this.pick.busy = false;
      source.dispose();
    }
  }

  private fill(result: SearchResult | undefined): void {
    const base = this.code === undefined ? TITLE : "Find Similar Code";
    this.pick.title = titleOf(base, result?.pending ?? 0);
    this.pick.items = (result?.hits ?? []).map((hit) => this.toItem(hit));
  }

  private toItem(hit: SearchHit): HitItem {
    const uri = vscode.Uri.parse(hit.uri);
    const { start, end } = hit.range;
    return {
      label: labelOf(hit),
      description: `${vscode.workspace.asRelativePath(uri)}:${start.line + 1}`,
      detail: firstLine(hit.snippet),
      // The server has ranked the hits; the list must not drop those whose name lacks the words typed.
      alwaysShow: this.code === undefined,
      uri,
      range: new vscode.Range(start.line, start.character, end.line, end.character),
    };
  }

  private toggle(button: vscode.QuickInputButton): void {
    const document = this.editor?.document;
    if (document === undefined) return;
    const folder = vscode.workspace.asRelativePath(vscode.Uri.joinPath(document.uri, ".."));
    this.pick.value =
      button === LANGUAGE_BUTTON
        ? toggleFilter(this.pick.value, "lang", document.languageId)
        : toggleFilter(this.pick.value, "path", folder);
    this.schedule(parseQuery(this.pick.value));
  }

  private async accept(): Promise<void> {
    const item = this.pick.activeItems[0];
    if (item === undefined) return;
    this.isTaken = true;
    this.pick.hide();
    await this.preview.take(item.uri, item.range);
  }

  private async close(): Promise<void> {
    clearTimeout(this.timer);
    this.running?.cancel();
    if (!this.isTaken) await this.preview.undo();
    this.preview.dispose();
    this.pick.dispose();
  }
}

async function findSimilar(server: Server): Promise<void> {
  const editor = vscode.window.activeTextEditor;
  const code = editor === undefined ? "" : await codeAtCursor(editor);
  if (code.trim() === "") {
    void vscode.window.showInformationMessage("Put the cursor into the code that others should be similar to.");
    return;
  }
  new SearchList(server, { query: code.slice(0, 4_000), limit: RESULT_LIMIT }).open();
}

/** The selection, else the innermost function around the cursor, else the lines up to the next blank ones. */
async function codeAtCursor(editor: vscode.TextEditor): Promise<string> {
  const { document, selection } = editor;
  if (!selection.isEmpty) return document.getText(selection);
  const symbols = await vscode.commands.executeCommand<readonly vscode.DocumentSymbol[] | undefined>(
    "vscode.executeDocumentSymbolProvider",
    document.uri,
  );
  const range = innermostFunction(symbols ?? [], selection.active);
  if (range !== undefined) return document.getText(range);
  return paragraphAround(document.getText().split(/\r?\n/), selection.active.line);
}

function innermostFunction(symbols: readonly vscode.DocumentSymbol[], position: vscode.Position): vscode.Range | undefined {
  for (const symbol of symbols.filter((candidate) => candidate.range.contains(position))) {
    const inner = innermostFunction(symbol.children, position);
    if (inner !== undefined) return inner;
    const { Function, Method, Constructor } = vscode.SymbolKind;
    if ([Function, Method, Constructor].includes(symbol.kind)) return symbol.range;
  }
  return undefined;
}

/** A file may be gone between indexing and looking; the list stays usable. */
function ignoreVanished(): void {
  return undefined;
}
