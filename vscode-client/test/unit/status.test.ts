import assert from "node:assert/strict";
import { test } from "node:test";

import { describeStatus, statusView, type Situation } from "../../src/status";

const READY: Situation = { phase: { kind: "running" }, job: undefined, snoozedUntil: undefined, off: undefined, problem: undefined };

function shown(change: Partial<Situation>): string {
  const { text, severity } = statusView({ ...READY, ...change }, 0);
  return `${severity}: ${text}`;
}

test("each situation has its own text", () => {
  assert.equal(shown({}), "normal: $(sparkle) CodeT5+");
  assert.equal(shown({ phase: { kind: "starting" } }), "normal: $(loading~spin) CodeT5+: starting");
  assert.equal(shown({ phase: { kind: "installing", step: "x" } }), "normal: $(cloud-download) CodeT5+: installing");
  assert.equal(shown({ phase: { kind: "waiting", delayMs: 500 } }), "warning: $(warning) CodeT5+: restarting");
  assert.equal(shown({ phase: { kind: "failed", message: "x" } }), "error: $(error) CodeT5+: not running");
  assert.equal(shown({ phase: { kind: "stopped" } }), "normal: $(circle-slash) CodeT5+: stopped");
  assert.equal(shown({ snoozedUntil: 60_000 }), "normal: $(bell-slash) CodeT5+: snoozed");
  assert.equal(shown({ off: "for python" }), "normal: $(circle-slash) CodeT5+: off");
  assert.equal(shown({ problem: "No model" }), "error: $(error) CodeT5+: no model");
  assert.equal(shown({ job: { title: "Indexing", message: "indexing 120/2000" } }), "normal: $(loading~spin) CodeT5+: indexing 120/2000");
});

test("what is worse goes first", () => {
  const everything = { job: { title: "Indexing", message: undefined }, snoozedUntil: 1, off: "everywhere", problem: "No model" };
  assert.match(shown({ ...everything, phase: { kind: "failed", message: "x" } }), /not running/);
  assert.match(shown(everything), /no model/);
});

test("the tooltip says how long a snooze lasts, rounded up", () => {
  assert.match(statusView({ ...READY, snoozedUntil: 61_000 }, 0).tooltip, /another 2 min/);
});

test("the server's figures become lines; what it does not know yet is not made up", () => {
  const full = {
    model: "laptop",
    revision: "0123456789abcdef",
    latency: { p50: 84.4, p95: 210.6 },
    memoryMb: 411.7,
    index: { files: 12, chunks: 340, pending: 3 },
  };
  assert.deepEqual(describeStatus(full), [
    "$(circuit-board) Model laptop, revision 0123456789ab",
    "$(dashboard) Latency: half within 84 ms, 95 % within 211 ms",
    "$(server) Memory: 412 MB",
    "$(database) Index: 340 pieces of code in 12 files, 3 files to go",
  ]);
  const index = { files: 12, chunks: 340, pending: 0 };
  assert.match(describeStatus({ index: { ...index, unembedded: 40 } }).join(), /340 pieces of code in 12 files, 40 not yet by meaning/);
  assert.match(describeStatus({ index: { ...index, unembedded: 0 } }).join(), /12 files, up to date/);
  assert.deepEqual(describeStatus({ latency: { p50: null, p95: null }, index: { files: 0, chunks: 0, pending: 0 }, memoryMb: null, model: null, revision: null }), [
    "$(dashboard) Latency: nothing measured yet",
  ]);
});
