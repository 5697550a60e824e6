import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { after, before, beforeEach, describe, test } from "node:test";

import { findOnPath, probeInterpreter, PYTHON_NAMES, type Interpreter } from "../../src/interpreters";
import {
  explainPip,
  explainVenv,
  installedInterpreter,
  installPrivateServer,
  removePrivateServer,
  type InstallProgress,
  type PrivateEnvironment,
} from "../../src/privateEnvironment";
import { run } from "../../src/processes";

/** Writes a wheel of the right name; one that needs no other package is installed without a network. */
const MAKE_WHEEL = `
import sys, zipfile
info = "codet5p-0.1.0.dist-info/"
files = {
    "codet5p/__init__.py": "",
    "codet5p/__main__.py": "print('served')",
    info + "METADATA": "Metadata-Version: 2.1\\nName: codet5p\\nVersion: 0.1.0\\n" + "".join(sys.argv[2:]),
    info + "WHEEL": "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
}
with zipfile.ZipFile(sys.argv[1], "w") as wheel:
    for name, text in files.items():
        wheel.writestr(name, text)
    wheel.writestr(info + "RECORD", "".join(f"{name},,\\n" for name in [*files, info + "RECORD"]))
`;

async function supportedPython(): Promise<Interpreter> {
  for (const name of PYTHON_NAMES) {
    const file = await findOnPath(name, process.env["PATH"] ?? "", process.platform);
    const found = file === undefined ? undefined : await probeInterpreter(file, tmpdir());
    if (found !== undefined && found.version[1] >= 11) return found;
  }
  throw new Error("these tests need Python 3.11 or newer on PATH");
}

describe("private environment", () => {
  let folder: string;
  let python: Interpreter;
  let environment: PrivateEnvironment;
  let steps: string[];
  let progress: InstallProgress;

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "codet5p-private-"));
    python = await supportedPython();
    await run(python.executable, ["-c", MAKE_WHEEL, path.join(folder, "codet5p-0.1.0-py3-none-any.whl")], {
      cwd: folder,
      timeoutMs: 30_000,
    });
  });
  after(() => rm(folder, { recursive: true }));

  beforeEach(() => {
    environment = {
      storage: path.join(folder, "storage"),
      wheel: path.join(folder, "codet5p-0.1.0-py3-none-any.whl"),
      platform: process.platform,
    };
    steps = [];
    progress = { step: (text) => steps.push(text), log: () => undefined, signal: new AbortController().signal };
  });

  test("two windows at once make one working environment between them", async () => {
    const installs = [1, 2].map(() => installPrivateServer(environment, [python], progress));
    const [first, second] = await Promise.all(installs);
    assert.ok(first !== undefined);
    assert.equal(first, second);
    assert.ok(steps.includes("waiting for another window that is installing it"));
    assert.equal(steps.filter((step) => step.startsWith("making an environment")).length, 1);
    const { stdout } = await run(first, ["-P", "-m", "codet5p"], { cwd: folder, timeoutMs: 30_000 });
    assert.equal(stdout, "served\n");
    assert.deepEqual((await readdir(environment.storage)).sort(), ["environment", "installed"]);
  });

  test("what is installed is found again, unless it was another build of the wheel", async () => {
    await installPrivateServer(environment, [python], progress);
    assert.equal(await installedInterpreter(environment), path.join(environment.storage, "environment", "bin", "python"));
    const other = path.join(folder, "codet5p-0.1.1-py3-none-any.whl");
    await writeFile(other, "another");
    assert.equal(await installedInterpreter({ ...environment, wheel: other }), undefined);
  });

  test("an environment without its stamp, as after a kill, is made again", async () => {
    await installPrivateServer(environment, [python], progress);
    await rm(path.join(environment.storage, "installed"));
    await writeFile(path.join(environment.storage, "install.lock"), "999999999");
    assert.equal(await installedInterpreter(environment), undefined);
    await installPrivateServer(environment, [python], progress);
    assert.notEqual(await installedInterpreter(environment), undefined);
  });

  test("removing it makes the next start install it anew", async () => {
    await installPrivateServer(environment, [python], progress);
    await removePrivateServer(environment);
    assert.equal(await installedInterpreter(environment), undefined);
  });

  test("without a Python that is new enough the message names both versions and the setting", async () => {
    const old: Interpreter = { executable: "/usr/bin/python3", version: [3, 9], serverVersion: undefined };
    await assert.rejects(
      installPrivateServer(environment, [old], progress),
      /needs Python 3\.11 or newer, and \/usr\/bin\/python3 is 3\.9\. .*codet5p\.server\.path/,
    );
    await assert.rejects(installPrivateServer(environment, [], progress), /and none was found/);
  });

  test("a build without a wheel says how to install the server by hand", async () => {
    const bare = { ...environment, wheel: path.join(folder, "absent.whl") };
    await assert.rejects(installPrivateServer(bare, [python], progress), /carries no server\. Run `pip install codet5p`/);
  });

  test("a storage folder that cannot be made is named, with the setting as the way out", async () => {
    const file = path.join(folder, "a-file");
    await writeFile(file, "");
    const blocked = { ...environment, storage: path.join(file, "storage") };
    await assert.rejects(installPrivateServer(blocked, [python], progress), /cannot write to .*a-file.storage \(ENOTDIR.*codet5p\.server\.path/);
  });

  test("a wheel that pip refuses is reported in one line, and leaves nothing that looks installed", async () => {
    const broken = path.join(folder, "codet5p-0.2.0-py3-none-any.whl");
    await writeFile(broken, "not a wheel");
    const refused = { ...environment, wheel: broken };
    await assert.rejects(installPrivateServer(refused, [python], progress), /^UserError: pip could not install [^\n]*$/);
    assert.equal(await installedInterpreter(refused), undefined);
  });

  test("without a network the message says to connect once", async () => {
    const needy = path.join(folder, "needy", "codet5p-0.1.0-py3-none-any.whl");
    await mkdir(path.dirname(needy));
    await run(python.executable, ["-c", MAKE_WHEEL, needy, "Requires-Dist: numpy\n"], { cwd: folder, timeoutMs: 30_000 });
    // A closed port of this machine in the place of the index: pip says the same as without a network.
    const offline = { PIP_INDEX_URL: "https://127.0.0.1:9/simple", PIP_CONFIG_FILE: "/dev/null", PIP_FIND_LINKS: "", PIP_RETRIES: "1" };
    const before = { ...process.env };
    Object.assign(process.env, offline);
    try {
      await assert.rejects(installPrivateServer({ ...environment, wheel: needy }, [python], progress), /^UserError: .*Connect once and restart the server/);
    } finally {
      process.env = before;
    }
  });

  test("a cancelled installation says so", async () => {
    const abort = new AbortController();
    await removePrivateServer(environment);
    const install = installPrivateServer(environment, [python], { ...progress, signal: abort.signal });
    setTimeout(() => {
      abort.abort();
    }, 100);
    await assert.rejects(install, /was cancelled/);
  });

  test("the usual failures of venv and pip have their own remedy", () => {
    assert.match(explainVenv("ensurepip is not\navailable"), /apt install python3-venv/);
    assert.match(explainVenv("Segmentation fault"), /the log has its words/);
    assert.match(explainPip("Failed to establish a new connection: [Errno -3]"), /Connect once/);
    assert.match(explainPip("OSError: [Errno 28] No space left on device"), /disk is full/);
    assert.match(explainPip("ERROR: No matching distribution found for ctranslate2>=4.8.2"), /has no ctranslate2 for this Python/);
    assert.match(explainPip("ERROR: something else"), /the log has its words/);
  });
});
