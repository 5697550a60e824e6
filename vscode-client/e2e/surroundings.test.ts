// Where the extension may find itself: files that are not on the disk, a Python extension beside it, a second window, and
// a folder that vanishes.

import assert from "node:assert/strict";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { after, afterEach, before, describe, test } from "node:test";

import { fakeServerProgram } from "../test/fakes/fakeServer";
import {
  goToLineEnd,
  menuLabels,
  pressOnGhostText,
  runCommand,
  type,
  waitForGhostText,
  waitForMenu,
  waitForToast,
  waitUntilReady,
} from "./editing";
import { keepEvidence } from "./evidence";
import { packPythonExtension, packVirtualFolder, SELECT_NEXT_INTERPRETER } from "./otherExtensions";
import { PATIENT_SETTINGS } from "./product";
import { openWorkbench, type Scene, type Workbench } from "./workbench";

const HEAD = "def area(width, height):\n";
const VIRTUAL = {
  files: { "virtual.code-workspace": JSON.stringify({ folders: [{ uri: "vscode-vfs://test/", name: "virtual" }] }) },
  workspace: "virtual.code-workspace",
  open: "vscode-vfs://test/main.py",
};

describe("surroundings", () => {
  let scratch: string;
  let workbench: Workbench | undefined;

  before(async () => {
    scratch = await mkdtemp(path.join(tmpdir(), "codet5p-fake-"));
  });
  afterEach((context) => keepEvidence(context, workbench));
  after(async () => {
    await workbench?.close();
    await rm(scratch, { recursive: true });
  });

  async function open(scene: Scene): Promise<Workbench> {
    if (workbench === undefined) workbench = await openWorkbench({ ...scene, others: [packVirtualFolder(), packPythonExtension()] });
    else await workbench.reopen(scene);
    return workbench;
  }

  test("in a virtual workspace completion works, and the search says that it needs files on the disk", async () => {
    const { page } = await open({ ...VIRTUAL, settings: PATIENT_SETTINGS });
    await waitUntilReady(page);
    await goToLineEnd(page, 2);
    await type(page, "    ret");
    await waitForGhostText(page);
    assert.match(await pressOnGhostText(page, "Tab"), /^urn/);
    await page.keyboard.press("Escape");
    await runCommand(page, "CodeT5+: Find Code by Description");
    await waitForToast(page, /Code search needs a folder on disk/);
    assert.doesNotMatch((await menuLabels(page)).join("\n"), /Index:|Find code/);
  });

  test("two windows on one folder have a server each, and closing one leaves the other alone", async () => {
    const opened = await open({ files: { "area.py": HEAD, "other.py": HEAD }, open: "area.py", settings: PATIENT_SETTINGS });
    const { page } = opened;
    await waitUntilReady(page);
    const second = await opened.secondWindow("other.py");
    await waitUntilReady(second);
    for (const window of [page, second]) {
      await window.bringToFront();
      await goToLineEnd(window, 2);
      await type(window, "    ret");
      await waitForGhostText(window);
      await window.keyboard.press("Escape");
    }
    await second.close();
    await page.bringToFront();
    await waitForMenu(page, /Index: 2 pieces of code in 2 files, up to date/);
    await goToLineEnd(page, 2);
    await type(page, "u");
    await waitForGhostText(page);
  });

  test("the environment that the Python extension has selected is used, and another one once that is selected", async () => {
    const settings = { "fakePython.interpreters": [await fakePython("first"), await fakePython("second")] };
    const { page } = await open({ files: { "area.py": HEAD }, open: "area.py", settings });
    await waitForMenu(page, /Server 0\.1\.0 from the selected Python environment[^]*Model first/);
    await runCommand(page, SELECT_NEXT_INTERPRETER);
    await waitForMenu(page, /from the selected Python environment[^]*Model second/);
  });

  /** An interpreter in whose environment a server is installed; the server's model has the interpreter's name. */
  async function fakePython(name: string): Promise<string> {
    const server = await fakeServerProgram(path.join(scratch, `server-of-${name}`), { version: "0.1.0", status: { model: name } });
    const file = path.join(scratch, name);
    const answer = JSON.stringify({ executable: file, version: [3, 12], server: "0.1.0" });
    await writeFile(file, `#!/bin/sh\ncase "$1" in -c) echo '${answer}' ;; *) exec '${server}' ;; esac\n`);
    await chmod(file, 0o755);
    return file;
  }
});
