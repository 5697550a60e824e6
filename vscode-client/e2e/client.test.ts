// The client's own behaviour in a real editor, against a fake server: what a healthy server cannot be made to do
// (crash loops, another version, nothing on offer), and the lists and previews that need known answers.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { after, afterEach, before, describe, test } from "node:test";

import type { SearchHit } from "../src/contract";
import { fakeServerProgram, type Scenario } from "../test/fakes/fakeServer";
import {
  eventually,
  goToLineEnd,
  listLabels,
  paletteTitles,
  PATIENCE_MS,
  runCommand,
  savedText,
  toastButton,
  waitForStatus,
  waitForToast,
  waitUntilReady,
} from "./editing";
import { keepEvidence } from "./evidence";
import { openWorkbench, type Workbench } from "./workbench";

const MAIN = `def area(width, height):
    return width * height
`;
const NET = `import time


def retry(action, attempts):
    """Call action until it succeeds."""
    for attempt in range(attempts):
        time.sleep(2 ** attempt)
        action()


def fetch_all(urls):
    return [fetch(url) for url in urls]
`;
const FILES = { "main.py": MAIN, "lib/net.py": NET };

describe("client", () => {
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

  async function open(scenario: Scenario, settings: Readonly<Record<string, unknown>> = {}): Promise<Workbench> {
    const program = await fakeServerProgram(path.join(scratch, "codet5p"), scenario);
    const scene = { files: FILES, open: "main.py", settings: { "codet5p.server.path": program, ...settings } };
    if (workbench === undefined) workbench = await openWorkbench(scene);
    else await workbench.reopen(scene);
    return workbench;
  }

  test("with a server that offers nothing more, search and docstrings decline in one line", async () => {
    const { page } = await open({ version: "0.1.0" });
    await waitUntilReady(page);
    await runCommand(page, "CodeT5+: Find Code by Description");
    await waitForToast(page, /This CodeT5\+ server cannot search code/);
    await runCommand(page, "CodeT5+: Insert Docstring");
    await waitForToast(page, /This CodeT5\+ server cannot write docstrings/);
    const titles = await paletteTitles(page, "CodeT5+: Find", "CodeT5+: Find Code by Description");
    assert.ok(!titles.includes("CodeT5+: Find Similar Code"), titles.join("\n"));
  });

  test("an older server is named with the command that updates it", async () => {
    const { page } = await open({ version: "0.0.9" });
    await waitForToast(page, /server \(0\.0\.9, .*\) is older than this extension.*pip install --upgrade codet5p/);
  });

  test("a server without its model says so in the status bar", async () => {
    const { page } = await open({ version: "0.1.0", status: { error: "The artifact is incomplete: run codet5p doctor." } });
    await waitForStatus(page, /no model.*The artifact is incomplete: run codet5p doctor/s);
  });

  test("where the cache cannot be written, the status bar names the setting for another folder", async () => {
    const error = "cannot write /home/ada/.cache/codet5p: Read-only file system; free some space or set another folder with --cache";
    const { page } = await open({ version: "0.1.0", status: { error } });
    await waitForStatus(page, /no model.*Read-only file system.*another folder with the setting codet5p\.server\.cacheFolder/s);
  });

  test("a server that keeps ending is left alone after five times, and can be started by hand", async () => {
    const { page } = await open({ version: "0.1.0", endsAfterMs: 300 });
    await waitForToast(page, /server ended 5 times in a row/);
    await waitForStatus(page, /not running/);
    await runCommand(page, "CodeT5+: Restart Server");
    await waitForStatus(page, /ended unexpectedly|is ready/);
  });

  test("a path that leads nowhere is reported with the way to the setting", async () => {
    const { page } = await open({ version: "0.1.0" }, { "codet5p.server.path": "/nowhere/codet5p" });
    await waitForToast(page, /codet5p\.server\.path names \/nowhere\/codet5p, which is not a program/);
    await toastButton(page, "Open Settings").click();
    await page.locator(".settings-editor").waitFor({ timeout: PATIENCE_MS });
  });

  test("a program that is no server is left alone with its last words and the way to the setting, and nothing else is said", async () => {
    const { page } = await open({ version: "0.1.0" }, { "codet5p.server.path": pythonOnPath() });
    const text = await waitForToast(page, /server ended 5 times in a row.*Its last words: .*can't open file/);
    assert.equal(await page.locator(".notification-toast").count(), 1, text);
    await toastButton(page, "Open Settings").waitFor();
  });

  test("a docstring is shown as a change and made when it is confirmed", async () => {
    const text = '    """Return the area of a rectangle."""\n';
    const edit = { range: { start: { line: 1, character: 0 }, end: { line: 1, character: 0 } }, newText: text };
    const { page } = await open({ version: "0.1.0", docstring: { text, edit, generated: true } });
    await waitUntilReady(page);
    await goToLineEnd(page, 1);
    await runCommand(page, "CodeT5+: Insert Docstring");
    await page.locator(".monaco-diff-editor .line-insert").first().waitFor({ state: "attached", timeout: PATIENCE_MS });
    await page.locator(".quick-input-list .monaco-list-row.focused", { hasText: "Insert docstring" }).waitFor({ timeout: PATIENCE_MS });
    await page.keyboard.press("Enter");
    await page.locator(".monaco-diff-editor").waitFor({ state: "detached", timeout: PATIENCE_MS });
    await page.locator(".tab.active.dirty").waitFor({ timeout: PATIENCE_MS });
    assert.equal(await savedText(opened(), "main.py"), MAIN.replace("\n", `\n${text}`));
  });

  test("a generated docstring in a hover has a link that inserts it at once", async () => {
    const text = '    """Return the area of a rectangle."""\n';
    const edit = { range: { start: { line: 1, character: 0 }, end: { line: 1, character: 0 } }, newText: text };
    const hover = "Return the area of a rectangle.\n\n*Generated by codet5p*";
    const { page } = await open({ version: "0.1.0", docstring: { text, edit, generated: true }, hover });
    await waitUntilReady(page);
    await page.locator(".view-line span", { hasText: "area" }).last().hover();
    await page.locator(".monaco-hover:not(.hidden) a", { hasText: "Insert this docstring" }).click({ timeout: PATIENCE_MS });
    await page.locator(".tab.dirty").first().waitFor({ timeout: PATIENCE_MS });
    assert.equal(await savedText(opened(), "main.py"), MAIN.replace("\n", `\n${text}`));
  });

  test("insert never overwrites documentation; it points to update", async () => {
    const edit = { range: { start: { line: 1, character: 0 }, end: { line: 1, character: 4 } }, newText: "\t" };
    const { page } = await open({ version: "0.1.0", docstring: { text: "x", edit, generated: true } });
    await waitUntilReady(page);
    await goToLineEnd(page, 1);
    await runCommand(page, "CodeT5+: Insert Docstring");
    await waitForToast(page, /already has documentation/);
    await toastButton(page, "Update It").click();
    await page.locator(".quick-input-list .monaco-list-row.focused", { hasText: "Update docstring" }).waitFor({ timeout: PATIENCE_MS });
    await page.keyboard.press("Escape");
    await page.locator(".monaco-diff-editor").waitFor({ state: "detached", timeout: PATIENCE_MS });
    assert.equal(await page.locator(".tab.dirty").count(), 0);
  });

  test("search lists as one types, previews while moving, goes back on Escape and opens on Enter", async () => {
    const { page } = await open({ version: "0.1.0", hits: [hit("retry", 3, 8), hit("fetch_all", 10, 12)] });
    await waitUntilReady(page);
    await page.locator(".editor-instance .view-lines").first().click();

    await findCode("sleep urls");
    await expectHits(["retry", "fetch_all"]);
    await page.keyboard.press("ArrowDown");
    await page.locator(".tab.active", { hasText: "net.py" }).waitFor({ timeout: PATIENCE_MS });
    await page.keyboard.press("Escape");
    await page.locator(".tab", { hasText: "net.py" }).waitFor({ state: "detached", timeout: PATIENCE_MS });
    await page.locator(".tab.active", { hasText: "main.py" }).waitFor({ timeout: PATIENCE_MS });

    await findCode("urls lang:python");
    await expectHits(["fetch_all"]);
    await page.keyboard.press("Enter");
    await page.locator(".tab.active:not(.italic)", { hasText: "net.py" }).waitFor({ timeout: PATIENCE_MS });
    await page.locator(".statusbar-item", { hasText: "Ln 11, Col 1" }).waitFor({ timeout: PATIENCE_MS });
  });

  test("Enter before the answer opens the first hit of what was typed, not of what was listed before", async () => {
    const { page } = await open({ version: "0.1.0", hits: [hit("retry", 3, 8), hit("fetch_all", 10, 12)], searchTakesMs: 1_000 });
    await waitUntilReady(page);
    await findCode("sleep");
    await expectHits(["retry"]);
    await page.locator(".quick-input-box input").fill("urls path:lib");
    await page.keyboard.press("Enter");
    await page.locator(".tab.active:not(.italic)", { hasText: "net.py" }).waitFor();
    await page.locator(".statusbar-item", { hasText: "Ln 11, Col 1" }).waitFor();
  });

  test("the buttons of the list narrow it to the language and to the folder of the file, and widen it again", async () => {
    const { page } = await open({ version: "0.1.0", hits: [hit("retry", 3, 8), { ...hit("fetch_all", 10, 12), language: "ruby" }] });
    await waitUntilReady(page);
    await page.locator(".editor-instance .view-lines").first().click();
    await findCode("sleep urls");
    await expectHits(["retry", "fetch_all"]);
    const button = (text: string): Promise<void> => page.locator(`.quick-input-titlebar .action-label[aria-label*="${text}"]`).click();
    const query = page.locator(".quick-input-box input");
    await button("language");
    await expectHits(["retry"]);
    assert.equal((await query.inputValue()).trim(), "sleep urls lang:python");
    await button("language");
    await expectHits(["retry", "fetch_all"]);
    await button("folder");
    await expectHits(["Nothing found"]);
    assert.match(await query.inputValue(), /^sleep urls path:/);
    await page.keyboard.press("Escape");
  });

  test("while the workspace is still being indexed, results come in by themselves", async () => {
    const { page } = await open({ version: "0.1.0", hits: [hit("retry", 3, 8)], searchesBeforeIndexed: 2 });
    await waitUntilReady(page);
    await findCode("sleep");
    await page.locator(".quick-input-title", { hasText: "still indexing, 7 to go" }).waitFor();
    await expectHits(["retry"]);
    await inputOf("Find Code by Description");
    assert.equal(await page.locator(".quick-input-title").textContent(), "Find Code by Description");
  });

  test("similar code is listed from the cursor, narrowed by typing, and opened on Enter", async () => {
    const hits = [hit("retry", 3, 8), hit("fetch_all", 10, 12)];
    const { page } = await open({ version: "0.1.0", hits, similar: ["retry", "fetch_all"] });
    await waitUntilReady(page);
    await goToLineEnd(page, 1);
    await runCommand(page, "CodeT5+: Find Similar Code");
    await inputOf("Find Similar Code");
    await expectHits(["retry", "fetch_all"]);
    await page.keyboard.type("fetch", { delay: 30 });
    await expectHits(["fetch_all"]);
    await page.keyboard.press("Enter");
    await page.locator(".tab.active:not(.italic)", { hasText: "net.py" }).waitFor({ timeout: PATIENCE_MS });
    await page.locator(".statusbar-item", { hasText: "Ln 11, Col 1" }).waitFor({ timeout: PATIENCE_MS });
  });

  test("where the server has nothing similar the list says so", async () => {
    const { page } = await open({ version: "0.1.0", hits: [], similar: [] });
    await waitUntilReady(page);
    await goToLineEnd(page, 1);
    await runCommand(page, "CodeT5+: Find Similar Code");
    await expectHits(["Nothing found"]);
  });

  test("while the server is still starting, a command says that it comes too early", async () => {
    const { page } = await open({ version: "0.1.0", answersAfterMs: 600_000 });
    await waitForStatus(page, /is starting its server/);
    await runCommand(page, "CodeT5+: Find Code by Description");
    await waitForToast(page, /not ready yet: try again in a moment/);
  });

  function opened(): Workbench {
    assert.ok(workbench !== undefined);
    return workbench;
  }

  /** Waits until the list of this title has the keyboard. */
  async function findCode(query: string): Promise<void> {
    const { page } = opened();
    await page.keyboard.press("Control+Alt+f");
    await inputOf("Find Code by Description");
    await page.keyboard.type(query, { delay: 30 });
  }

  async function inputOf(title: string): Promise<void> {
    const { page } = opened();
    await page.locator(".quick-input-title", { hasText: title }).waitFor();
    await page.locator(".quick-input-box input:focus").waitFor();
  }

  function expectHits(names: readonly string[]): Promise<true> {
    return eventually(`the hits ${names.join(", ")}`, async () => {
      const labels = await listLabels(opened().page);
      return labels.map((label) => label.trim()).join() === names.join() ? true : undefined;
    });
  }
});

function pythonOnPath(): string {
  return execFileSync("sh", ["-c", "command -v python3"], { encoding: "utf8" }).trim();
}

function hit(name: string, first: number, last: number): SearchHit {
  return {
    uri: "lib/net.py",
    range: { start: { line: first, character: 0 }, end: { line: last, character: 0 } },
    name,
    kind: "function",
    language: "python",
    score: 1,
    snippet: NET.split("\n").slice(first, last).join("\n"),
  };
}
