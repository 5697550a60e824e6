import assert from "node:assert/strict";
import { test } from "node:test";

import { firstLine, labelOf, parseQuery, titleOf, toggleFilter } from "../../src/searchQuery";

test("words and filters are told apart, wherever the filters stand", () => {
  assert.deepEqual(parseQuery("lang:Python retry a  request path:src/net"), {
    query: "retry a request",
    limit: 30,
    language: "python",
    path: "src/net",
  });
});

test("a line without words is not a query", () => {
  assert.equal(parseQuery("  "), undefined);
  assert.equal(parseQuery("lang:go "), undefined);
});

test("a colon inside a word is not a filter", () => {
  assert.deepEqual(parseQuery("parse http: headers std::vector"), { query: "parse http: headers std::vector", limit: 30 });
});

test("a filter button sets, replaces and removes its filter and keeps the words", () => {
  assert.equal(toggleFilter("parse date", "lang", "python"), "parse date lang:python ");
  assert.equal(toggleFilter("parse date lang:go", "lang", "python"), "parse date lang:python ");
  assert.equal(toggleFilter("parse date lang:python ", "lang", "python"), "parse date ");
  assert.equal(toggleFilter("", "path", "src"), "path:src ");
});

test("a hit is labelled with its kind and name, an unknown kind with a plain icon", () => {
  const hit = { uri: "file:///a", range: { start: { line: 0, character: 0 }, end: { line: 1, character: 0 } }, name: "parse", language: "python", score: 1, snippet: "" };
  assert.equal(labelOf({ ...hit, kind: "method" }), "$(symbol-method) parse");
  assert.equal(labelOf({ ...hit, kind: "block" }), "$(symbol-misc) parse");
});

test("the first line that says something describes a snippet", () => {
  assert.equal(firstLine("\r\n   def parse(text):\r\n  ..."), "def parse(text):");
  assert.equal(firstLine(""), "");
});

test("the title admits to files that are not searched yet", () => {
  assert.equal(titleOf("Find Code", 0), "Find Code");
  assert.equal(titleOf("Find Code", 17), "Find Code (still indexing, 17 to go)");
});
