// A new user: fresh profile, the packaged extension with its wheel, no server anywhere. Needs a Python package index.

import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import * as path from "node:path";
import { after, afterEach, before, describe, test } from "node:test";

import { listLabels, eventually, type, typeIntoEmptyFile, waitForGhostText, waitForStatus, waitUntilReady } from "./editing";
import { keepEvidence } from "./evidence";
import { PACKAGED_VSIX, screenshot } from "./product";
import { openWorkbench, type Workbench } from "./workbench";

const INSTALL_PATIENCE_MS = 400_000;

describe("first start", () => {
  let workbench: Workbench;

  before(async () => {
    workbench = await openWorkbench({
      files: { "hello.py": "" },
      open: "hello.py",
      settings: { "codet5p.completion.timeLimitMilliseconds": 20_000 },
      vsix: PACKAGED_VSIX,
      walkthrough: true,
    });
  });
  afterEach((context) => keepEvidence(context, workbench));
  after(() => workbench.close());

  test("the walkthrough opens by itself", async () => {
    const { page } = workbench;
    await page.locator(".tab.active", { hasText: "Walkthrough" }).waitFor({ timeout: INSTALL_PATIENCE_MS });
    await screenshot(page, "vscode-walkthrough");
    await page.keyboard.press("Control+F4");
    await page.locator(".tab", { hasText: "hello.py" }).click();
  });

  test("the extension installs its own server, and says so while it does", async () => {
    const { page, profile } = workbench;
    await waitForStatus(page, /is installing its server|is ready/);
    await waitUntilReady(page, INSTALL_PATIENCE_MS);
    await page.locator(".statusbar-item", { hasText: "CodeT5+" }).first().click();
    await eventually("the menu", async () =>
      (await listLabels(page)).some((label) => /Server \S+ from the private environment/.test(label)) ? true : undefined,
    );
    await page.keyboard.press("Escape");
    const storage = path.join(profile, "user/User/globalStorage/codet5p.codet5p");
    assert.deepEqual((await readdir(storage)).sort(), ["environment", "installed"]);
  });

  test("and completes", async () => {
    const { page } = workbench;
    await typeIntoEmptyFile(page, "def add(a, b):\n");
    await type(page, "    ret");
    assert.match(await waitForGhostText(page), /^urn/);
  });
});
