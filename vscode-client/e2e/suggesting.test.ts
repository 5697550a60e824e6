// How ghost text behaves on the screen, against a fake server whose answers are known: what is taken, what is counted,
// and that nothing flickers, comes back or stands there twice.

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { after, afterEach, before, describe, test } from "node:test";

import type { Page } from "playwright-core";

import { fakeServerProgram } from "../test/fakes/fakeServer";
import {
  eventually,
  expectNoGhostText,
  ghostText,
  menuLabels,
  PATIENCE_MS,
  pressOnGhostText,
  runCommand,
  savedText,
  type,
  typeIntoEmptyFile,
  waitForGhostText,
  waitUntilGhostTextIsGone,
  waitUntilReady,
} from "./editing";
import { keepEvidence } from "./evidence";
import { openWorkbench, type Workbench } from "./workbench";

const FILE = "area.py";
const HEAD = "def area(width, height):\n";
const FIRST = "    width = float(width)";
const SECOND = "    return width * height";

describe("suggesting", () => {
  let scratch: string;
  let workbench: Workbench;

  before(async () => {
    scratch = await mkdtemp(path.join(tmpdir(), "codet5p-fake-"));
    const program = await fakeServerProgram(path.join(scratch, "codet5p"), { version: "0.1.0", continuation: `${FIRST}\n${SECOND}` });
    workbench = await openWorkbench({
      files: { [FILE]: HEAD },
      open: FILE,
      settings: { "codet5p.server.path": program, "editor.wordBasedSuggestions": "currentDocument" },
    });
    await waitUntilReady(workbench.page);
  });
  afterEach((context) => keepEvidence(context, workbench));
  after(async () => {
    await workbench.close();
    await rm(scratch, { recursive: true });
  });

  test("a suggestion of two lines is shown whole, and accepting a line takes the first of them and counts it", async () => {
    const { page } = workbench;
    await typeIntoEmptyFile(page, HEAD);
    await type(page, FIRST.slice(0, 7));
    await eventually("both lines", async () => ((await ghostText(page)) === `${FIRST.slice(7)}\n${SECOND}` ? true : undefined));
    await page.keyboard.press("Control+Alt+ArrowRight");
    await eventually("the second line alone", async () => ((await ghostText(page)).trim() === SECOND.trim() ? true : undefined));
    await page.keyboard.press("Escape");
    assert.equal((await savedText(workbench, FILE)).trimEnd(), `${HEAD}${FIRST}`);
    assert.match((await menuLabels(page)).join("\n"), /, 1 lines$/m);
  });

  test("while one types what is suggested, the ghost text shrinks and is never gone for a frame", async () => {
    const { page } = workbench;
    await typeIntoEmptyFile(page, HEAD);
    await type(page, FIRST.slice(0, 6));
    await waitForGhostText(page);
    await startWatch(page);
    await type(page, FIRST.slice(6, -4));
    await eventually("the rest", async () => ((await ghostText(page)).startsWith(FIRST.slice(-4)) ? true : undefined));
    const { frames, empty } = await watched(page);
    assert.ok(frames > 0);
    assert.equal(empty, 0, `gone in ${empty} of ${frames} frames`);
  });

  test("after Escape nothing comes back until something is typed", async () => {
    const { page } = workbench;
    await typeIntoEmptyFile(page, HEAD);
    await type(page, FIRST.slice(0, 6));
    await waitForGhostText(page);
    await page.keyboard.press("Escape");
    await waitUntilGhostTextIsGone(page);
    await page.keyboard.press("ArrowUp");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("End");
    await expectNoGhostText(page);
    await type(page, FIRST.slice(6, 7));
    await waitForGhostText(page);
  });

  test("beside the open list of words, the ghost text continues the selected word and Tab takes that word", async () => {
    const { page } = workbench;
    await typeIntoEmptyFile(page, HEAD);
    await type(page, SECOND.slice(0, 14));
    await page.keyboard.press("Control+Space");
    await page.locator(".suggest-widget.visible .monaco-list-row.focused", { hasText: "width" }).waitFor({ timeout: PATIENCE_MS });
    await eventually("one continuation", async () => ((await ghostText(page)) === SECOND.slice(14) ? true : undefined));
    await page.keyboard.press("Tab");
    await page.locator(".suggest-widget.visible").waitFor({ state: "detached", timeout: PATIENCE_MS });
    await eventually("what follows the word", async () => ((await ghostText(page)) === " * height" ? true : undefined));
    assert.equal(await pressOnGhostText(page, "Tab"), " * height");
    await waitUntilGhostTextIsGone(page);
    assert.equal(await savedText(workbench, FILE), `${HEAD}${SECOND}`);
  });

  test("the counters can be reset", async () => {
    const { page } = workbench;
    await runCommand(page, "CodeT5+: Reset Local Counters");
    assert.match((await menuLabels(page)).join("\n"), /Taken 0 of 0 suggestions, 0 words, 0 lines/);
  });
});

/** Counts, frame by frame in the page itself, how often the ghost text is gone. */
async function startWatch(page: Page): Promise<void> {
  await page.evaluate(`(() => {
    const watch = { frames: 0, empty: 0, isRunning: true };
    window.ghostFrames = watch;
    const look = () => {
      if (!watch.isRunning) return;
      watch.frames++;
      if (document.querySelector(".editor-instance .ghost-text-decoration") === null) watch.empty++;
      requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  })()`);
}

async function watched(page: Page): Promise<{ frames: number; empty: number }> {
  return page.evaluate<{ frames: number; empty: number }>("Object.assign(window.ghostFrames, { isRunning: false })");
}
