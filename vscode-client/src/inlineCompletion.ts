// Ghost text: when to ask, what was offered, and what of it was taken.

import * as vscode from "vscode";
import type { Middleware } from "vscode-languageclient/node";

import { PARTIALLY_ACCEPTED_METHOD, SHOWN_METHOD } from "./contract";
import type { Counters } from "./counters";
import { messageOf } from "./errors";
import type { Server } from "./server";
import { isCompletionEnabled } from "./settings";
import type { Snooze } from "./snooze";

/** Runs after the editor has taken a whole suggestion; wraps the command that the server asked for. */
const ACCEPTED_COMMAND = "codet5p.completionAccepted";

/** The suggestion that was handed to the editor last. */
interface Offered {
  readonly uri: string;
  readonly start: vscode.Position;
  readonly item: vscode.InlineCompletionItem;
  /** The line's start and the suggestion: stays the same while the user types along. */
  readonly result: string;
}

export class InlineCompletion {
  private last: Offered | undefined;

  constructor(
    private readonly server: Server,
    private readonly snooze: Snooze,
    private readonly counters: Counters,
    private readonly log: vscode.LogOutputChannel,
  ) {}

  readonly middleware: Pick<Middleware, "provideInlineCompletionItems"> = {
    provideInlineCompletionItems: async (document, position, context, token, next) => {
      if (!this.isWanted(document, context)) return undefined;
      const answer = await next(document, position, context, token);
      const items = Array.isArray(answer) ? answer : (answer?.items ?? []);
      const first = items[0];
      if (first === undefined || token.isCancellationRequested) return undefined;
      this.remember(document, position, first);
      return items.map((item) => this.withAcceptance(item));
    },
  };

  register(): vscode.Disposable[] {
    return [
      vscode.commands.registerCommand(ACCEPTED_COMMAND, (original?: vscode.Command) => this.onAccepted(original)),
      vscode.commands.registerCommand("codet5p.acceptWord", () => this.acceptPart("acceptNextWord", "words")),
      vscode.commands.registerCommand("codet5p.acceptLine", () => this.acceptPart("acceptNextLine", "lines")),
      vscode.commands.registerCommand("codet5p.triggerCompletion", () =>
        vscode.commands.executeCommand("editor.action.inlineSuggest.trigger"),
      ),
    ];
  }

  /** An explicit request is always answered; while typing, snooze, setting and selection have a say. */
  private isWanted(document: vscode.TextDocument, context: vscode.InlineCompletionContext): boolean {
    if (context.triggerKind === vscode.InlineCompletionTriggerKind.Invoke) return true;
    if (this.snooze.until !== undefined || !isCompletionEnabled(document.languageId)) return false;
    const editor = vscode.window.activeTextEditor;
    return editor?.document !== document || editor.selections.every((selection) => selection.isEmpty);
  }

  private remember(document: vscode.TextDocument, position: vscode.Position, item: vscode.InlineCompletionItem): void {
    const start = item.range?.start ?? position;
    const before = document.lineAt(start.line).text.slice(0, start.character);
    const offered = { uri: document.uri.toString(), start, item, result: `${start.line}:${before}${textOf(item)}` };
    const isTypedThrough = this.last?.uri === offered.uri && this.last.result === offered.result;
    this.last = offered;
    if (isTypedThrough) return;
    this.counters.add("offered");
    this.server.notify(SHOWN_METHOD, { item: toProtocol(item) });
  }

  private withAcceptance(item: vscode.InlineCompletionItem): vscode.InlineCompletionItem {
    const wrapped = new vscode.InlineCompletionItem(item.insertText, item.range, {
      title: "Accepted",
      command: ACCEPTED_COMMAND,
      arguments: [item.command],
    });
    if (item.filterText !== undefined) wrapped.filterText = item.filterText;
    return wrapped;
  }

  private async onAccepted(original: vscode.Command | undefined): Promise<void> {
    this.counters.add("accepted");
    if (original === undefined) return;
    try {
      await vscode.commands.executeCommand(original.command, ...((original.arguments ?? []) as unknown[]));
    } catch (error) {
      this.log.debug(`${original.command}: ${messageOf(error)}`);
    }
  }

  private async acceptPart(action: string, counter: "words" | "lines"): Promise<void> {
    const editor = vscode.window.activeTextEditor;
    const offered = this.last;
    await vscode.commands.executeCommand(`editor.action.inlineSuggest.${action}`);
    if (editor === undefined || offered?.uri !== editor.document.uri.toString()) return;
    const taken = editor.document.getText(new vscode.Range(offered.start, editor.selection.active));
    if (taken === "" || !textOf(offered.item).startsWith(taken)) return;
    this.counters.add(counter);
    this.server.notify(PARTIALLY_ACCEPTED_METHOD, { item: toProtocol(offered.item), acceptedLength: taken.length });
  }
}

function textOf(item: vscode.InlineCompletionItem): string {
  return typeof item.insertText === "string" ? item.insertText : item.insertText.value;
}

function toProtocol(item: vscode.InlineCompletionItem): unknown {
  const { range, command } = item;
  return {
    insertText: textOf(item),
    ...(range === undefined ? {} : { range: { start: plain(range.start), end: plain(range.end) } }),
    ...(command === undefined ? {} : { command }),
  };
}

function plain(position: vscode.Position): { line: number; character: number } {
  return { line: position.line, character: position.character };
}
