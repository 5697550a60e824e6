import assert from "node:assert/strict";
import { test } from "node:test";

import { findServer, isSameServer, type Machine } from "../../src/discovery";
import { UserError } from "../../src/errors";
import type { Interpreter } from "../../src/interpreters";

function interpreter(executable: string, serverVersion?: string, minor = 12): Interpreter {
  return { executable, version: [3, minor], serverVersion };
}

/** A machine on which nothing is installed, but for what a test gives it. */
function bareMachine(given: Partial<Machine> = {}): Machine & { readonly lines: string[] } {
  const lines: string[] = [];
  return {
    configuredPath: "",
    cacheFolder: "",
    clientVersion: "0.1.0",
    isExecutable: () => Promise.resolve(false),
    selectedInterpreter: () => Promise.resolve(undefined),
    programOnPath: () => Promise.resolve(undefined),
    interpretersOnPath: () => Promise.resolve([]),
    privateInterpreter: () => Promise.resolve("/private/bin/python"),
    log: (line) => lines.push(line),
    ...given,
    lines,
  };
}

const MODULE_ARGS = ["-P", "-m", "codet5p", "serve"];

test("a configured program goes before everything else", async () => {
  const machine = bareMachine({
    configuredPath: "/opt/codet5p",
    isExecutable: () => Promise.resolve(true),
    programOnPath: () => Promise.resolve({ file: "/usr/bin/codet5p", version: "0.1.0" }),
  });
  assert.deepEqual(await findServer(machine), { command: "/opt/codet5p", args: ["serve"], origin: "setting" });
});

test("a configured program that is not there is an error naming the setting, not a silent fallback", async () => {
  const machine = bareMachine({ configuredPath: "/nowhere/codet5p" });
  await assert.rejects(findServer(machine), (error: UserError) => {
    assert.match(error.message, /codet5p\.server\.path names \/nowhere\/codet5p/);
    assert.deepEqual(error.remedies.map((remedy) => remedy.label), ["Open Settings"]);
    return true;
  });
});

test("the selected environment goes before PATH when it has the server", async () => {
  const machine = bareMachine({
    selectedInterpreter: () => Promise.resolve(interpreter("/project/.venv/bin/python", "0.1.4")),
    programOnPath: () => Promise.resolve({ file: "/usr/bin/codet5p", version: "0.1.0" }),
  });
  const expected = { command: "/project/.venv/bin/python", args: MODULE_ARGS, origin: "selected Python environment" };
  assert.deepEqual(await findServer(machine), expected);
});

test("a selected environment without the server falls through to the program on PATH", async () => {
  const machine = bareMachine({
    selectedInterpreter: () => Promise.resolve(interpreter("/project/.venv/bin/python")),
    programOnPath: () => Promise.resolve({ file: "/usr/bin/codet5p", version: undefined }),
  });
  assert.deepEqual(await findServer(machine), { command: "/usr/bin/codet5p", args: ["serve"], origin: "PATH" });
});

test("a server of a version that does not fit is passed over, and the log says so", async () => {
  const machine = bareMachine({
    programOnPath: () => Promise.resolve({ file: "/usr/bin/codet5p", version: "0.9.0" }),
    interpretersOnPath: () => Promise.resolve([interpreter("/usr/bin/python3", "0.1.1")]),
  });
  assert.deepEqual(await findServer(machine), { command: "/usr/bin/python3", args: MODULE_ARGS, origin: "PATH" });
  assert.deepEqual(machine.lines, ["Passed over the server 0.9.0 of /usr/bin/codet5p: this extension is 0.1.0."]);
});

test("a Python that is too old is not used even if it claims to have the server", async () => {
  const machine = bareMachine({ interpretersOnPath: () => Promise.resolve([interpreter("/usr/bin/python3", "0.1.0", 9)]) });
  assert.equal((await findServer(machine)).origin, "private environment");
});

test("with no server anywhere the private one is made, from any interpreter there is", async () => {
  const onPath = interpreter("/usr/bin/python3");
  const selected = interpreter("/conda/bin/python");
  let offered: readonly Interpreter[] = [];
  const machine = bareMachine({
    selectedInterpreter: () => Promise.resolve(selected),
    interpretersOnPath: () => Promise.resolve([onPath]),
    privateInterpreter: (bases) => {
      offered = bases;
      return Promise.resolve("/private/bin/python");
    },
  });
  const expected = { command: "/private/bin/python", args: MODULE_ARGS, origin: "private environment" };
  assert.deepEqual(await findServer(machine), expected);
  assert.deepEqual(offered, [onPath, selected]);
});

test("two answers are the same server when the command line is the same", () => {
  const server = { command: "/a", args: ["serve"], origin: "PATH" } as const;
  assert.ok(isSameServer(server, { ...server, origin: "setting" }));
  assert.ok(!isSameServer(server, { ...server, command: "/b" }));
  assert.ok(!isSameServer(undefined, server));
});

test("a cache folder of the user's choice is passed to whichever server is started", async () => {
  const machine = bareMachine({ cacheFolder: "/data/codet5p" });
  assert.deepEqual((await findServer(machine)).args, [...MODULE_ARGS, "--cache", "/data/codet5p"]);
});
