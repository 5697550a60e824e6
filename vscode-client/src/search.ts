// Find Code by Description, where results follow the typing, and Find Similar Code, which starts from the cursor.

import * as vscode from "vscode";

import {
  SEARCH_METHOD,
  SIMILAR_METHOD,
  type Offer,
  type SearchParams,
  type SearchResult,
  type SimilarParams,
} from "./contract";
import { HitList } from "./hitList";
import { parseQuery, RESULT_LIMIT, toggleFilter } from "./searchQuery";
import type { Server } from "./server";

const TYPING_PAUSE_MS = 150;
const LANGUAGE_BUTTON: vscode.QuickInputButton = { iconPath: new vscode.ThemeIcon("code"), tooltip: "Only this file's language (lang:)" };
const FOLDER_BUTTON: vscode.QuickInputButton = { iconPath: new vscode.ThemeIcon("folder"), tooltip: "Only this file's folder (path:)" };

export function registerSearchCommands(server: Server): vscode.Disposable[] {
  const command = (name: string, isOffered: (offer: Offer) => boolean, run: () => void): vscode.Disposable =>
    vscode.commands.registerCommand(name, () => {
      if (!isOffered(server.offer)) void vscode.window.showInformationMessage(server.whyNot("search code"));
      else if (!hasFolderOnDisk()) void vscode.window.showInformationMessage("Code search needs a folder on disk: open one first.");
      else run();
    });
  return [
    command("codet5p.findCode", ({ search }) => search, () => {
      new DescriptionSearch(server).open();
    }),
    command("codet5p.findSimilarCode", ({ similar }) => similar, () => {
      findSimilar(server);
    }),
  ];
}

/** Whether there is anything to search: the server reads files, not what an editor shows of a repository elsewhere. */
export function hasFolderOnDisk(): boolean {
  return vscode.workspace.workspaceFolders?.some(({ uri }) => uri.scheme === "file") ?? false;
}

/** One search by description. */
class DescriptionSearch {
  private readonly list = new HitList({
    title: "Find Code by Description",
    placeholder: "What should the code do? Filters: lang:python path:src/",
    isNarrowedByTyping: false,
  });
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly server: Server) {}

  open(): void {
    const { pick } = this.list;
    pick.buttons = [LANGUAGE_BUTTON, FOLDER_BUTTON];
    pick.onDidChangeValue((value) => {
      this.schedule(parseQuery(value));
    });
    pick.onDidTriggerButton((button) => {
      this.toggle(button);
    });
    const refresh = (): void => {
      if (this.server.offer.search) this.refresh();
    };
    const subscriptions = [this.server.onJobEnd(refresh), this.server.onPhase(refresh)];
    pick.onDidHide(() => {
      for (const subscription of subscriptions) subscription.dispose();
      clearTimeout(this.timer);
    });
  }

  private schedule(params: SearchParams | undefined): void {
    clearTimeout(this.timer);
    if (params === undefined) {
      this.list.clear();
      return;
    }
    this.list.expectAnother();
    this.timer = setTimeout(() => {
      this.ask(params);
    }, TYPING_PAUSE_MS);
  }

  private ask(params: SearchParams): void {
    void this.list.show((token) => ask(this.server, SEARCH_METHOD, params, token));
  }

  /** Asks again when the server knows more, or runs again: what was not yet embedded may be the best hit. */
  private refresh(): void {
    const params = parseQuery(this.list.pick.value);
    if (params !== undefined && !this.list.isWaiting) this.ask(params);
  }

  private toggle(button: vscode.QuickInputButton): void {
    const document = this.list.origin?.document;
    if (document === undefined) return;
    const { pick } = this.list;
    const folder = vscode.workspace.asRelativePath(vscode.Uri.joinPath(document.uri, ".."));
    pick.value =
      button === LANGUAGE_BUTTON
        ? toggleFilter(pick.value, "lang", document.languageId)
        : toggleFilter(pick.value, "path", folder);
    this.schedule(parseQuery(pick.value));
  }
}

function findSimilar(server: Server): void {
  const editor = vscode.window.activeTextEditor;
  if (editor === undefined) {
    void vscode.window.showInformationMessage("Open a file and put the cursor into the code that others should be similar to.");
    return;
  }
  const { line, character } = editor.selection.active;
  const params: SimilarParams = {
    textDocument: { uri: editor.document.uri.toString() },
    position: { line, character },
    limit: RESULT_LIMIT,
  };
  const list = new HitList({ title: "Find Similar Code", placeholder: "Type to narrow the list down", isNarrowedByTyping: true });
  void list.show((token) => ask(server, SIMILAR_METHOD, params, token));
}

/** Throws where there is no server to ask, as after a crash: that is not the same as nothing found. */
async function ask(
  server: Server,
  method: string,
  params: SearchParams | SimilarParams,
  token: vscode.CancellationToken,
): Promise<SearchResult> {
  const result = await server.request<SearchResult>(method, params, token).catch((error: unknown) => {
    if (server.command !== undefined) throw error;
    return undefined; // it has ended over this question
  });
  if (result === undefined) throw new Error(server.whyNot("search code"));
  return result;
}
