import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { after, before, describe, test } from "node:test";

import { findOnPath, fromHome, isExecutable, isSupported, probeInterpreter, programVersion } from "../../src/interpreters";

// The programs made here are shell scripts: these tests are for Linux and macOS.
describe("interpreters", () => {
  let folder: string;

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "codet5p-interpreters-"));
  });
  after(() => rm(folder, { recursive: true }));

  async function program(name: string, script: string, mode = 0o755): Promise<string> {
    const file = path.join(folder, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, `#!/bin/sh\n${script}\n`);
    await chmod(file, mode);
    return file;
  }

  test("a real Python tells its path, its version and that it has no server", async () => {
    const python = await findOnPath("python3", process.env["PATH"] ?? "", process.platform);
    assert.ok(python !== undefined, "these tests need a python3 on PATH");
    const found = await probeInterpreter(python, folder);
    assert.ok(found !== undefined);
    assert.ok(path.isAbsolute(found.executable));
    assert.equal(found.version[0], 3);
  });

  test("a codet5p in the working directory is not mistaken for an installed one", async () => {
    await program("here/codet5p/__init__.py", "");
    const python = await findOnPath("python3", process.env["PATH"] ?? "", process.platform);
    const elsewhere = await probeInterpreter(python ?? "", folder);
    const beside = await probeInterpreter(python ?? "", path.join(folder, "here"));
    assert.equal(beside?.serverVersion, elsewhere?.serverVersion);
  });

  test("what is no Python, fails or is missing is passed over", async () => {
    assert.equal(await probeInterpreter(await program("liar", "echo hello"), folder), undefined);
    assert.equal(await probeInterpreter(await program("failing", "exit 3"), folder), undefined);
    assert.equal(await probeInterpreter(path.join(folder, "missing"), folder), undefined);
  });

  test("a program tells its version, or nothing", async () => {
    assert.equal(await programVersion(await program("says", "echo codet5p 0.1.2"), folder), "0.1.2");
    assert.equal(await programVersion(await program("silent", "exit 1"), folder), undefined);
  });

  test("a folder is not a program, though it may be entered", async () => {
    assert.equal(await isExecutable(folder), false);
    assert.equal(await isExecutable(await program("bare", "")), true);
  });

  test("a tilde at the start is the home folder, and nothing else is changed", () => {
    assert.equal(fromHome("~/venv/bin/codet5p", "/home/ada"), "/home/ada/venv/bin/codet5p");
    for (const file of ["~ada/codet5p", "/opt/~/codet5p", "codet5p", ""]) assert.equal(fromHome(file, "/home/ada"), file);
  });

  test("PATH is searched in order; files that cannot be run and relative entries are passed over", async () => {
    await program("first/tool", "", 0o644);
    const second = await program("second/tool", "");
    const searchPath = [".", "relative", path.join(folder, "first"), path.join(folder, "second")].join(":");
    assert.equal(await findOnPath("tool", searchPath, "linux"), second);
    assert.equal(await findOnPath("other", searchPath, "linux"), undefined);
  });

  test("Python 3.11 and later will do", () => {
    const of = (major: number, minor: number): boolean =>
      isSupported({ executable: "/python", version: [major, minor], serverVersion: undefined });
    assert.deepEqual([of(2, 7), of(3, 10), of(3, 11), of(3, 14), of(4, 0)], [false, false, true, true, true]);
  });
});
