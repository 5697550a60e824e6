import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";

import { Supervisor, type SupervisorState } from "../../src/supervisor";
import { ManualClock } from "../fakes/manualClock";

const POLICY = { maxCrashes: 3, windowMs: 60_000, firstDelayMs: 500 };

/** Lets everything run that only waits for promises. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("Supervisor", () => {
  let clock: ManualClock;
  let states: SupervisorState[];
  let starts: number;
  let stops: number;
  let crash: () => void;
  let startsWith: () => Promise<void>;
  let supervisor: Supervisor;

  beforeEach(() => {
    clock = new ManualClock();
    states = [];
    starts = 0;
    stops = 0;
    startsWith = () => Promise.resolve();
    supervisor = new Supervisor(
      async (onExit) => {
        starts++;
        crash = onExit;
        await startsWith();
        return {
          stop: () => {
            stops++;
            return Promise.resolve();
          },
        };
      },
      (state) => states.push(state),
      clock,
      POLICY,
    );
  });

  const kinds = (): string[] => states.map((state) => state.kind);

  test("starts once and reports it", async () => {
    await supervisor.restart();
    assert.deepEqual(kinds(), ["starting", "running"]);
  });

  test("restarts asked for while one is under way are met by one more round, and never overlap", async () => {
    let atOnce = 0;
    let most = 0;
    startsWith = async () => {
      most = Math.max(most, ++atOnce);
      await settle();
      atOnce--;
    };
    await Promise.all([supervisor.restart(), supervisor.restart(), supervisor.restart(), supervisor.restart()]);
    assert.equal(most, 1);
    assert.equal(starts, 2);
    assert.equal(stops, 1);
  });

  test("a crash is answered by a start after a pause, and pauses double", async () => {
    await supervisor.restart();
    crash();
    assert.deepEqual(states.at(-1), { kind: "waiting", delayMs: 500 });
    clock.advance(499);
    assert.equal(starts, 1);
    clock.advance(1);
    await settle();
    assert.equal(starts, 2);
    crash();
    assert.deepEqual(states.at(-1), { kind: "waiting", delayMs: 1000 });
  });

  test("it gives up after too many crashes in the window, until the user restarts it", async () => {
    await supervisor.restart();
    for (let crashes = 0; crashes < POLICY.maxCrashes; crashes++) {
      crash();
      clock.advance(10_000);
      await settle();
    }
    assert.deepEqual(states.at(-1), { kind: "gave-up", crashes: 3 });
    assert.equal(starts, 3);
    await supervisor.restart();
    crash();
    assert.deepEqual(states.at(-1), { kind: "waiting", delayMs: 500 });
  });

  test("crashes far apart do not add up", async () => {
    await supervisor.restart();
    for (let crashes = 0; crashes < 6; crashes++) {
      crash();
      assert.deepEqual(states.at(-1), { kind: "waiting", delayMs: 500 });
      clock.advance(POLICY.windowMs);
      await settle();
    }
    assert.equal(starts, 7);
  });

  test("a start that fails is reported and not tried again by itself", async () => {
    const error = new Error("no such program");
    startsWith = () => Promise.reject(error);
    await supervisor.restart();
    assert.deepEqual(states.at(-1), { kind: "failed", error });
    clock.advance(600_000);
    await settle();
    assert.equal(starts, 1);
  });

  test("a server that ends while it starts counts as a crash, not as a failed start", async () => {
    startsWith = () => {
      crash();
      return Promise.reject(new Error("connection closed"));
    };
    await supervisor.restart();
    assert.deepEqual(kinds(), ["starting", "waiting"]);
  });

  test("the exit of a server that was replaced is none of its business", async () => {
    await supervisor.restart();
    const oldCrash = crash;
    await supervisor.restart();
    oldCrash();
    assert.deepEqual(states.at(-1), { kind: "running" });
  });

  test("stopping calls off a pending start", async () => {
    await supervisor.restart();
    crash();
    await supervisor.stop();
    clock.advance(600_000);
    await settle();
    assert.equal(starts, 1);
    assert.deepEqual(states.at(-1), { kind: "stopped" });
  });
});
