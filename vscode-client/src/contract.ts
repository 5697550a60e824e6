// What the server and this client have agreed on beyond the Language Server Protocol: methods, shapes, capabilities.

import type { Location, Position, Range, TextDocumentIdentifier, TextEdit } from "vscode-languageclient/node";

export const STATUS_METHOD = "codet5p/status";
export const DOCSTRING_METHOD = "codet5p/docstring";
export const SEARCH_METHOD = "codet5p/search";
export const SIMILAR_METHOD = "codet5p/similar";
export const SHOWN_METHOD = "textDocument/didShowCompletion";
export const PARTIALLY_ACCEPTED_METHOD = "textDocument/didPartiallyAcceptCompletion";

/** Answer of `codet5p/status`. Every part may be missing: a server that is still loading knows less. */
export interface StatusResult {
  readonly model?: string | null;
  readonly revision?: string | null;
  readonly index?: { readonly files: number; readonly chunks: number; readonly pending: number; readonly unembedded?: number } | null;
  /** Milliseconds from request to answer, as the server sees them; null before the first one. */
  readonly latency?: { readonly p50: number | null; readonly p95: number | null } | null;
  readonly memoryMb?: number | null;
  /** One line for the user when the model could not be loaded. */
  readonly error?: string | null;
}

export interface DocstringParams {
  readonly textDocument: TextDocumentIdentifier;
  readonly position: Position;
  readonly style?: string;
}

export interface DocstringResult {
  readonly text: string;
  readonly edit: TextEdit;
  readonly generated: boolean;
}

export interface SearchParams {
  readonly query: string;
  readonly limit?: number;
  readonly language?: string;
  readonly path?: string;
}

export interface SearchHit extends Location {
  readonly range: Range;
  readonly name: string;
  readonly kind: string;
  readonly language: string;
  readonly score: number;
  readonly snippet: string;
}

export interface SearchResult {
  readonly hits: readonly SearchHit[];
  readonly indexed: number;
  readonly pending: number;
}

/** Which code others should be similar to: the function around the position. The answer is that of a search. */
export interface SimilarParams {
  readonly textDocument: TextDocumentIdentifier;
  readonly position: Position;
  readonly limit?: number;
}


/** What this server can do; anything it does not offer is off. */
export interface Offer {
  readonly completion: boolean;
  readonly docstring: boolean;
  readonly search: boolean;
  readonly similar: boolean;
  readonly version: string | undefined;
}

export const NOTHING_OFFERED: Offer = { completion: false, docstring: false, search: false, similar: false, version: undefined };

/** Reads the offer out of an initialize result, trusting none of its parts to be there. */
export function readOffer(result: unknown): Offer {
  const capabilities = field(result, "capabilities");
  const own = field(field(capabilities, "experimental"), "codet5p");
  const completion = field(capabilities, "inlineCompletionProvider");
  return {
    completion: completion !== undefined && completion !== null && completion !== false,
    docstring: field(own, "docstring") === true,
    search: field(own, "search") === true,
    similar: field(own, "similar") === true,
    version: text(field(own, "version")) ?? text(field(field(result, "serverInfo"), "version")),
  };
}

function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
