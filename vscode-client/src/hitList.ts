// A list of code that the server has found, with the code shown beside it while one moves through the list.

import { setTimeout as delay } from "node:timers/promises";
import * as vscode from "vscode";

import type { SearchHit } from "./contract";
import { messageOf } from "./errors";
import { Preview } from "./preview";
import { firstLine, labelOf, titleOf } from "./searchQuery";

interface Place {
  readonly uri: vscode.Uri;
  readonly range: vscode.Range;
}

interface HitItem extends vscode.QuickPickItem {
  /** Undefined for the line that says that there is nothing. */
  readonly place?: Place;
}

/** Pause between looks while the workspace is still being indexed. */
const REFRESH_MS = 1_000;

/** What the server has found; `pending` counts the files that it has not looked at yet. */
export interface Found {
  readonly hits: readonly SearchHit[];
  readonly pending?: number;
}

export interface HitListOptions {
  readonly title: string;
  readonly placeholder: string;
  /** Whether typing narrows the list down; otherwise the server has the say, and every hit of it is shown. */
  readonly isNarrowedByTyping: boolean;
}

/** One opening of the list: Enter goes to the code, Escape back to where the user was. */
export class HitList {
  readonly pick = vscode.window.createQuickPick<HitItem>();
  /** The editor from which the list was opened. */
  readonly origin = vscode.window.activeTextEditor;
  private readonly preview = new Preview();
  private running: vscode.CancellationTokenSource | undefined;
  /** Whether what the list shows answers an older question than the one that is open. */
  private isOutdated = false;
  /** Whether Enter was pressed meanwhile: it means the first hit of the answer that is on its way. */
  private isTakingNext = false;
  private isTaken = false;

  constructor(private readonly options: HitListOptions) {
    const { pick } = this;
    pick.title = options.title;
    pick.placeholder = options.placeholder;
    pick.matchOnDescription = options.isNarrowedByTyping;
    pick.ignoreFocusOut = true;
    pick.onDidChangeActive(([item]) => {
      if (item?.place !== undefined) void this.preview.show(item.place.uri, item.place.range).then(undefined, ignoreVanished);
    });
    pick.onDidAccept(() => void this.accept());
    pick.onDidHide(() => void this.close());
    pick.show();
  }

  /**
   * Shows what `ask` finds, and asks again while there are files that the server has not looked at yet. A newer question
   * takes the place of one that is still open.
   */
  async show(ask: (token: vscode.CancellationToken) => Promise<Found>): Promise<void> {
    this.cancel();
    const source = new vscode.CancellationTokenSource();
    this.running = source;
    this.pick.busy = true;
    const isStale = (): boolean => source.token.isCancellationRequested;
    try {
      do {
        const found = await ask(source.token);
        if (isStale()) return;
        this.fill(found);
        if ((found.pending ?? 0) === 0) return;
        await delay(REFRESH_MS);
      } while (!isStale());
    } catch (error) {
      if (isStale()) return;
      this.isOutdated = false;
      this.pick.title = `${this.options.title}: ${messageOf(error)}`;
    } finally {
      if (this.running === source) this.cancel();
      source.dispose();
    }
  }

  /** Whether the answer to a question is still to come. */
  get isWaiting(): boolean {
    return this.isOutdated || this.running !== undefined;
  }

  /** Forgets the question that is open; the list stays as it is. */
  cancel(): void {
    this.running?.cancel();
    this.running = undefined;
    this.pick.busy = false;
  }

  /** Forgets the question that is open since another one will follow: Enter waits for the answer to that. */
  expectAnother(): void {
    this.cancel();
    this.isOutdated = true;
    this.isTakingNext = false;
  }

  clear(): void {
    this.cancel();
    this.isOutdated = false;
    this.pick.items = [];
    this.pick.title = this.options.title;
  }

  private fill({ hits, pending = 0 }: Found): void {
    const { pick } = this;
    pick.title = titleOf(this.options.title, pending);
    const active = pick.activeItems[0];
    const chosen = active === pick.items[0] ? undefined : keyOf(active);
    const items = hits.map((hit) => this.toItem(hit));
    const again = chosen === undefined ? undefined : items.find((item) => keyOf(item) === chosen);
    if (!sameHits(items, pick.items)) {
      pick.items = items.length > 0 ? items : [{ label: `$(info) Nothing found${pending > 0 ? " yet" : ""}`, alwaysShow: true }];
      if (again !== undefined) pick.activeItems = [again];
    }
    this.isOutdated = false;
    if (this.isTakingNext) void this.take(again ?? items[0]);
  }

  private toItem(hit: SearchHit): HitItem {
    const uri = vscode.Uri.parse(hit.uri);
    const { start, end } = hit.range;
    return {
      label: labelOf(hit),
      description: `${vscode.workspace.asRelativePath(uri)}:${start.line + 1}`,
      detail: firstLine(hit.snippet),
      // The server has ranked the hits; the list must not drop those whose name lacks the words typed.
      alwaysShow: !this.options.isNarrowedByTyping,
      place: { uri, range: new vscode.Range(start.line, start.character, end.line, end.character) },
    };
  }

  private async accept(): Promise<void> {
    if (this.isOutdated) this.isTakingNext = true;
    else await this.take(this.pick.activeItems[0]);
  }

  private async take(item: HitItem | undefined): Promise<void> {
    this.isTakingNext = false;
    if (item?.place === undefined) return;
    this.isTaken = true;
    this.pick.hide();
    await this.preview.take(item.place.uri, item.place.range);
  }

  private async close(): Promise<void> {
    this.cancel();
    if (!this.isTaken) await this.preview.undo();
    this.preview.dispose();
    this.pick.dispose();
  }
}

/** Undefined for the line that says that there is nothing. */
function keyOf(item: HitItem | undefined): string | undefined {
  const place = item?.place;
  return place === undefined ? undefined : `${place.uri.toString()}:${place.range.start.line}`;
}

function sameHits(left: readonly HitItem[], right: readonly HitItem[]): boolean {
  return left.length > 0 && left.length === right.length && left.every((item, index) => keyOf(item) === keyOf(right[index]));
}

/** A file may be gone between indexing and looking; the list stays usable. */
function ignoreVanished(): void {
  return undefined;
}
