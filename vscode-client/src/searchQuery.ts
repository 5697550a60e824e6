// The query line of the search: words, and filters such as `lang:python` and `path:src/`.

import type { SearchHit, SearchParams } from "./contract";

export const RESULT_LIMIT = 30;
/** The server refuses longer queries; a whole class as a query gains nothing beyond this. */
const LONGEST_QUERY = 4_000;

/** Splits the query line; undefined when no words are left to search for. */
export function parseQuery(line: string): SearchParams | undefined {
  const words: string[] = [];
  const filters: { language?: string; path?: string } = {};
  for (const word of line.trim().split(/\s+/)) {
    const filter = /^(lang|language|path):(.+)$/i.exec(word);
    if (filter === null) words.push(word);
    else if (filter[1]?.toLowerCase() === "path") filters.path = filter[2] ?? "";
    else filters.language = (filter[2] ?? "").toLowerCase();
  }
  const query = words.join(" ").slice(0, LONGEST_QUERY);
  return query === "" ? undefined : { query, limit: RESULT_LIMIT, ...filters };
}

/** Returns `line` with its filter `name` set to `value`, or without that filter if it was set to just that. */
export function toggleFilter(line: string, name: "lang" | "path", value: string): string {
  const filter = `${name}:${value}`;
  const words = line.split(/\s+/).filter((word) => word !== "");
  const others = words.filter((word) => !word.startsWith(`${name}:`));
  return `${[...others, ...(words.includes(filter) ? [] : [filter])].join(" ")} `.trimStart();
}

const ICONS: Readonly<Record<string, string>> = { function: "symbol-function", method: "symbol-method", class: "symbol-class" };

export function labelOf(hit: SearchHit): string {
  return `$(${ICONS[hit.kind] ?? "symbol-misc"}) ${hit.name}`;
}

/** First line of the snippet that says something. */
export function firstLine(snippet: string): string {
  return snippet.split(/\r?\n/).map((line) => line.trim()).find((line) => line !== "") ?? "";
}

/** Title of the list, with an honest word on what is not searched yet. */
export function titleOf(base: string, pending: number): string {
  return pending === 0 ? base : `${base} (still indexing, ${pending} to go)`;
}
