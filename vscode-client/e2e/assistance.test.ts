// Code search and docstrings from the real server, over this repository's own server as the workspace.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import * as path from "node:path";
import { after, afterEach, before, describe, test } from "node:test";

import { eventually, goToLineEnd, listLabels, PATIENCE_MS, runCommand, savedText, waitForMenu, waitUntilReady } from "./editing";
import { keepEvidence } from "./evidence";
import { PRODUCT_SETTINGS, REPOSITORY, screenshot } from "./product";
import { openWorkbench, type Workbench } from "./workbench";

const SHAPES = `def volume(width, height, depth):
    """Return the volume of a box.

    Args:
        width: From left to right, in metres.
        height: From the floor up, in metres.
    """
    return width * height * depth
`;

const SOLIDS = `def capacity(width, height, depth, wall):
    """Return how much a box with walls holds."""
    return (width - wall) * (height - wall) * (depth - wall)


def load_solids(path):
    return json.loads(path.read_text())
`;

/** The Python files in a folder of the repository, by their path in the workspace. */
function sources(folder: string): Record<string, string> {
  const files = readdirSync(path.join(REPOSITORY, folder)).filter((name) => name.endsWith(".py"));
  return Object.fromEntries(files.map((name) => [`${folder}/${name}`, readFileSync(path.join(REPOSITORY, folder, name), "utf8")]));
}

describe("assistance", () => {
  let workbench: Workbench;

  before(async () => {
    const files = { "shapes.py": SHAPES, "solids.py": SOLIDS, ...sources("lsp_server"), ...sources("lsp_server/index"), ...sources("codet5p/core") };
    workbench = await openWorkbench({ files, open: "shapes.py", settings: PRODUCT_SETTINGS });
    await waitUntilReady(workbench.page, 2 * PATIENCE_MS);
    await waitForMenu(workbench.page, /Index: \d+ pieces of code in \d+ files, up to date/, 2 * PATIENCE_MS);
  });
  afterEach((context) => keepEvidence(context, workbench));
  after(() => workbench.close());

  test("code is found by its description, shown while it is looked at, and opened", async () => {
    const { page } = workbench;
    await runCommand(page, "CodeT5+: Find Code by Description");
    await page.locator(".quick-input-title", { hasText: "Find Code by Description" }).waitFor({ timeout: PATIENCE_MS });
    await page.keyboard.type("smallest value that a share of all values does not exceed", { delay: 15 });
    await eventually("the function as the first hit", async () =>
      (await listLabels(page))[0]?.trim() === "percentile" ? true : undefined,
    );
    await page.locator(".tab.active", { hasText: "statistics.py" }).waitFor({ timeout: PATIENCE_MS });
    await screenshot(page, "vscode-search");
    await page.keyboard.press("Enter");
    await page.locator(".tab.active:not(.italic)", { hasText: "statistics.py" }).waitFor({ timeout: PATIENCE_MS });
    const line = readFileSync(path.join(REPOSITORY, "lsp_server/statistics.py"), "utf8").split("\n").findIndex((text) => text.startsWith("def percentile")) + 1;
    await page.locator(".statusbar-item", { hasText: `Ln ${line}, Col 1` }).waitFor({ timeout: PATIENCE_MS });
    await page.keyboard.press("Control+F4");
  });

  test("a docstring that lacks a parameter is updated, and what people wrote in it is kept", async () => {
    const { page } = workbench;
    await page.locator(".tab", { hasText: "shapes.py" }).click();
    await goToLineEnd(page, 8);
    await runCommand(page, "CodeT5+: Update Docstring");
    await page.locator(".monaco-diff-editor .line-insert").first().waitFor({ state: "attached", timeout: PATIENCE_MS });
    await page.locator(".quick-input-list .monaco-list-row.focused", { hasText: "Update docstring" }).waitFor({ timeout: PATIENCE_MS });
    await screenshot(page, "vscode-update-docstring");
    await page.keyboard.press("Enter");
    await page.locator(".tab.active.dirty", { hasText: "shapes.py" }).waitFor({ timeout: PATIENCE_MS });
    const lines = (await savedText(workbench, "shapes.py")).split("\n");
    const added = lines.filter((text) => !SHAPES.split("\n").includes(text));
    assert.equal(added.length, 1);
    assert.match(added[0] ?? "", /^ {8}depth:/);
    assert.deepEqual(lines.filter((text) => text !== added[0]), SHAPES.split("\n"));
  });

  test("resting on the name of a documented function shows its documentation", async () => {
    const { page } = workbench;
    await page.locator(".view-line span", { hasText: /^volume$/ }).first().hover();
    await page.locator(".monaco-hover:not(.hidden)", { hasText: "Return the volume of a box." }).waitFor();
    await page.mouse.move(640, 600);
  });

  test("code like the function at the cursor is found in another file", async () => {
    const { page } = workbench;
    await goToLineEnd(page, 9);
    await runCommand(page, "CodeT5+: Find Similar Code");
    await page.locator(".quick-input-title", { hasText: "Find Similar Code" }).waitFor();
    await eventually("the other function first", async () => ((await listLabels(page))[0]?.trim() === "capacity" ? true : undefined));
    await page.keyboard.press("Enter");
    await page.locator(".tab.active:not(.italic)", { hasText: "solids.py" }).waitFor();
  });

  test("a function without documentation gets a docstring, which is shown before it is inserted", async () => {
    const { page } = workbench;
    await goToLineEnd(page, 6);
    await runCommand(page, "CodeT5+: Insert Docstring");
    await page.locator(".monaco-diff-editor .line-insert").first().waitFor({ state: "attached" });
    await page.locator(".quick-input-list .monaco-list-row.focused", { hasText: "Insert docstring" }).waitFor();
    await page.keyboard.press("Enter");
    await page.locator(".tab.active.dirty", { hasText: "solids.py" }).waitFor();
    const text = await savedText(workbench, "solids.py");
    assert.match(text, /def load_solids\(path\):\n {4}"""Load [^"]+"""\n {4}return/);
    await page.locator(".tab", { hasText: "shapes.py" }).click();
  });

  test("a docstring that says it all is left alone", async () => {
    const { page } = workbench;
    await runCommand(page, "CodeT5+: Update Docstring");
    await page.locator(".notification-toast", { hasText: "The documentation is up to date." }).waitFor({ timeout: PATIENCE_MS });
  });
});
