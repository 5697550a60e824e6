import assert from "node:assert/strict";
import { test } from "node:test";

import { Counters, describeCounts, NO_COUNTS, type Store } from "../../src/counters";

function memoryStore(): Store {
  const values = new Map<string, unknown>();
  return {
    get: (key) => values.get(key),
    update: (key, value) => {
      values.set(key, value);
      return Promise.resolve();
    },
  };
}

test("counts survive a new session", () => {
  const store = memoryStore();
  const before = new Counters(store);
  before.add("offered");
  before.add("offered");
  before.add("accepted");
  assert.deepEqual(new Counters(store).counts, { offered: 2, accepted: 1, words: 0, lines: 0 });
});

test("a reset forgets everything", () => {
  const store = memoryStore();
  const counters = new Counters(store);
  counters.add("words");
  counters.reset();
  assert.deepEqual(new Counters(store).counts, NO_COUNTS);
});

test("counts are described in one line, without a share before the first offer", () => {
  assert.equal(describeCounts(NO_COUNTS), "Taken 0 of 0 suggestions, 0 words, 0 lines");
  assert.equal(
    describeCounts({ offered: 40, accepted: 12, words: 5, lines: 2 }),
    "Taken 12 of 40 suggestions (30 %), 5 words, 2 lines",
  );
});
