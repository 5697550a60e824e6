// A folder that is not trusted, and a machine without a usable Python: which server is started, and what is said.

import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { after, afterEach, before, describe, test } from "node:test";

import { fakeServerProgram } from "../test/fakes/fakeServer";
import { PATIENCE_MS, runCommand, toastButton, waitForStatus, waitForToast, waitUntilReady } from "./editing";
import { keepEvidence } from "./evidence";
import { openWorkbench, type Workbench } from "./workbench";

const FILES = { "main.py": "x = 1\n" };

describe("trust and surroundings", () => {
  let scratch: string;
  let workbench: Workbench | undefined;

  before(async () => {
    scratch = await mkdtemp(path.join(tmpdir(), "codet5p-fake-"));
  });
  afterEach(async (context) => {
    await keepEvidence(context, workbench);
    await workbench?.close();
    workbench = undefined;
  });
  after(() => rm(scratch, { recursive: true }));

  test("the program that an untrusted folder names is started only once the folder is trusted", async () => {
    const own = await fakeServerProgram(path.join(scratch, "own"), { version: "0.1.0" });
    const ofFolder = await fakeServerProgram(path.join(scratch, "of-folder"), { version: "0.0.9" });
    workbench = await openWorkbench({
      files: { ...FILES, ".vscode/settings.json": JSON.stringify({ "codet5p.server.path": ofFolder }) },
      open: "main.py",
      settings: { "codet5p.server.path": own },
      asksForTrust: true,
    });
    const { page } = workbench;
    await waitUntilReady(page);
    assert.equal(await page.locator(".notification-toast", { hasText: "older than this extension" }).count(), 0);
    await runCommand(page, "Workspaces: Manage Workspace Trust");
    await page.locator(".workspace-trust-editor .monaco-button", { hasText: /^Trust$/ }).click({ timeout: PATIENCE_MS });
    await waitForToast(page, /server \(0\.0\.9, .*of-folder\) is older than this extension/);
  });

  test("without any Python the message says which one is needed", async () => {
    const { page } = await openWithPath(path.join(scratch, "nowhere"));
    await waitForToast(page, /needs Python 3\.11 or newer, and none was found\. Install it, or set codet5p\.server\.path/);
    await waitForStatus(page, /not running/);
    await toastButton(page, "Open Settings").waitFor({ timeout: PATIENCE_MS });
  });

  test("a Python that is too old is named with its version", async () => {
    const folder = path.join(scratch, "old");
    await mkdir(folder);
    const answer = JSON.stringify({ executable: "/usr/bin/python3", version: [3, 9], server: null });
    await writeFile(path.join(folder, "python3"), `#!/bin/sh\necho '${answer}'\n`);
    await chmod(path.join(folder, "python3"), 0o755);
    const { page } = await openWithPath(folder);
    await waitForToast(page, /needs Python 3\.11 or newer, and \/usr\/bin\/python3 is 3\.9/);
  });

  async function openWithPath(folder: string): Promise<Workbench> {
    // As if started from a terminal: otherwise the editor asks the login shell for its PATH.
    const env = { PATH: folder, VSCODE_CLI: "1" };
    workbench = await openWorkbench({ files: FILES, open: "main.py", settings: {}, env });
    return workbench;
  }
});
