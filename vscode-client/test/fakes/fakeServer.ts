// A language server that is a test fake: it offers and answers what its scenario says, and knows no model.
// The scenario comes as JSON in the environment variable FAKE_SERVER; `fakeServerProgram` writes a program that sets it.

import { chmod, writeFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";

import {
  createMessageConnection,
  StreamMessageReader,
  StreamMessageWriter,
  TextDocumentSyncKind,
  type DidChangeTextDocumentParams,
  type InlineCompletionItem,
  type InlineCompletionParams,
  type TextDocumentItem,
} from "vscode-languageserver-protocol/node";

import type { DocstringResult, SearchHit, SearchParams, StatusResult } from "../../src/contract";

export interface Scenario {
  readonly version: string;
  readonly docstring?: DocstringResult;
  /** Text whose lines the file is on its way to: the cursor's line is completed to the first that begins like it. */
  readonly continuation?: string;
  /** Markdown of every hover. */
  readonly hover?: string;
  /** All hits, with their `uri` relative to the workspace; a query gets those whose snippet contains one of its words. */
  readonly hits?: readonly SearchHit[];
  /** Lets every search wait this long for its answer. */
  readonly searchTakesMs?: number;
  /** How many searches come before everything is indexed: they find nothing yet. */
  readonly searchesBeforeIndexed?: number;
  /** Names of the hits that are similar to any code. */
  readonly similar?: readonly string[];
  readonly status?: StatusResult;
  /** Lets `initialize` wait this long for its answer. */
  readonly answersAfterMs?: number;
  /** Ends the process this long after `initialize`. */
  readonly endsAfterMs?: number;
}

/** Writes an executable that runs this file with `scenario`. */
export async function fakeServerProgram(file: string, scenario: Scenario): Promise<string> {
  const json = JSON.stringify(scenario).replaceAll("'", "'\\''");
  await writeFile(file, `#!/bin/sh\nFAKE_SERVER='${json}' exec '${process.execPath}' '${__filename}'\n`);
  await chmod(file, 0o755);
  return file;
}

function serve(scenario: Scenario): void {
  const connection = createMessageConnection(
    new StreamMessageReader(process.stdin),
    new StreamMessageWriter(process.stdout),
  );
  let root = "";
  connection.onRequest("initialize", async (params: { rootUri: string | null }) => {
    root = params.rootUri ?? "";
    if (scenario.endsAfterMs !== undefined) setTimeout(() => process.exit(1), scenario.endsAfterMs);
    if (scenario.answersAfterMs !== undefined) await delay(scenario.answersAfterMs);
    const { version, docstring, hits, hover, similar, continuation } = scenario;
    const own = { version, docstring: docstring !== undefined, search: hits !== undefined, similar: similar !== undefined };
    return {
      capabilities: {
        textDocumentSync: TextDocumentSyncKind.Full,
        hoverProvider: hover !== undefined,
        inlineCompletionProvider: continuation !== undefined,
        experimental: { codet5p: own },
      },
    };
  });
  const documents = new Map<string, string>();
  connection.onNotification("textDocument/didOpen", ({ textDocument }: { textDocument: TextDocumentItem }) => {
    documents.set(textDocument.uri, textDocument.text);
  });
  connection.onNotification("textDocument/didChange", ({ textDocument, contentChanges }: DidChangeTextDocumentParams) => {
    documents.set(textDocument.uri, contentChanges.at(-1)?.text ?? "");
  });
  connection.onRequest("textDocument/inlineCompletion", (params: InlineCompletionParams) =>
    complete(scenario.continuation ?? "", documents.get(params.textDocument.uri) ?? "", params),
  );
  connection.onRequest("textDocument/hover", () => ({ contents: { kind: "markdown", value: scenario.hover ?? "" } }));
  connection.onRequest("codet5p/status", () => scenario.status ?? {});
  connection.onRequest("codet5p/docstring", () => scenario.docstring ?? null);
  let searches = 0;
  connection.onRequest("codet5p/search", async (params: SearchParams) => {
    await delay(scenario.searchTakesMs ?? 0);
    const isIndexed = ++searches > (scenario.searchesBeforeIndexed ?? 0);
    const hits = isIndexed ? search(scenario.hits ?? [], params) : [];
    return { hits: hits.map((hit) => ({ ...hit, uri: `${root}/${hit.uri}` })), indexed: hits.length, pending: isIndexed ? 0 : 7 };
  });
  connection.onRequest("codet5p/similar", () => ({
    hits: (scenario.hits ?? [])
      .filter((hit) => scenario.similar?.includes(hit.name))
      .map((hit) => ({ ...hit, uri: `${root}/${hit.uri}` })),
    indexed: scenario.hits?.length ?? 0,
    pending: 0,
  }));
  connection.onRequest("shutdown", () => null);
  connection.onNotification("exit", () => process.exit(0));
  connection.listen();
}

/** What is left of `continuation` from the first of its lines that begins like the cursor's, or like the selected entry. */
function complete(continuation: string, text: string, { position, context }: InlineCompletionParams): InlineCompletionItem[] {
  const selected = context.selectedCompletionInfo;
  const range = selected?.range ?? { start: position, end: position };
  const written = selected?.text ?? "";
  const before = (text.split("\n")[position.line] ?? "").slice(0, range.start.character) + written;
  const start = `\n${continuation}`.indexOf(`\n${before}`);
  if (start < 0 || before.trim() === "") return [];
  return [{ insertText: written + continuation.slice(start + before.length), range }];
}

function search(hits: readonly SearchHit[], { query, language, path }: SearchParams): readonly SearchHit[] {
  const words = query.toLowerCase().split(/\s+/);
  return hits.filter(
    (hit) =>
      words.some((word) => hit.snippet.toLowerCase().includes(word)) &&
      (language === undefined || hit.language === language) &&
      (path === undefined || hit.uri.includes(path)),
  );
}

if (require.main === module) serve(JSON.parse(process.env["FAKE_SERVER"] ?? "{}") as Scenario);
