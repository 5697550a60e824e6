import assert from "node:assert/strict";
import { test } from "node:test";

import { Snooze } from "../../src/snooze";
import { ManualClock } from "../fakes/manualClock";

function snoozing(): { clock: ManualClock; snooze: Snooze; changes: () => number } {
  const clock = new ManualClock();
  let changes = 0;
  const snooze = new Snooze(clock, () => changes++);
  return { clock, snooze, changes: () => changes };
}

test("snooze ends by itself after its minutes, and says so", () => {
  const { clock, snooze, changes } = snoozing();
  snooze.start(5);
  assert.equal(snooze.until, 300_000);
  clock.advance(299_999);
  assert.equal(snooze.until, 300_000);
  clock.advance(1);
  assert.equal(snooze.until, undefined);
  assert.equal(changes(), 2);
});

test("a new snooze replaces the old one, whose end no longer counts", () => {
  const { clock, snooze } = snoozing();
  snooze.start(5);
  clock.advance(60_000);
  snooze.start(15);
  clock.advance(300_000);
  assert.equal(snooze.until, 60_000 + 900_000);
});

test("snooze can be ended early", () => {
  const { snooze } = snoozing();
  snooze.start(60);
  snooze.stop();
  assert.equal(snooze.until, undefined);
});
