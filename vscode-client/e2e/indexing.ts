// Measures typing while a workspace of 2,000 files is indexed: from the keystroke to the frame that shows it.
// Writes benchmarks/results/vscode_indexing.json.

import type { Page } from "playwright-core";

import { goToLineEnd, savedText, status, waitForStatus, waitUntilReady } from "./editing";
import { quantile, writeMeasurement } from "./measurement";
import { PRODUCT_SETTINGS } from "./product";
import { openWorkbench, type Workbench } from "./workbench";

const FILES = 2_000;
const FUNCTIONS_PER_FILE = 5;
const KEY_INTERVAL_MS = 110;
const SENTENCE = "# the quick brown fox jumps over the lazy dog and types on while everything is indexed";
const FULLY_INDEXED_PATIENCE_MS = 300_000;

/** Files whose functions all differ, so that none of them is found in the index already. */
function manyFiles(): Record<string, string> {
  const files: Record<string, string> = { "main.py": "\n" };
  for (let file = 0; file < FILES; file++) {
    const functions = Array.from({ length: FUNCTIONS_PER_FILE }, (_, index) => {
      const id = file * FUNCTIONS_PER_FILE + index;
      return `def convert_${id}(value, factor=${id}):\n    """Return value number ${id} in its own unit."""\n    return value * factor + ${id % 97}\n`;
    });
    files[`package_${file % 40}/module_${file}.py`] = functions.join("\n\n");
  }
  return files;
}

/** Notes for each key the time to the frame after the editor's text has changed; no round trip is counted. */
async function installStopwatch(page: Page): Promise<void> {
  await page.evaluate(`(() => {
    window.paintTimes = [];
    let pressed = 0;
    document.addEventListener("keydown", () => { pressed = performance.now(); }, true);
    const note = () => {
      if (pressed === 0) return;
      const start = pressed;
      pressed = 0;
      requestAnimationFrame(() => window.paintTimes.push(performance.now() - start));
    };
    new MutationObserver(note).observe(document.querySelector(".editor-instance .view-lines"), { childList: true, subtree: true, characterData: true });
  })()`);
}

/** Types the sentence into the first line and returns the milliseconds of each key. */
async function measureTyping({ page }: Workbench): Promise<readonly number[]> {
  await goToLineEnd(page, 1);
  await page.evaluate("window.paintTimes.length = 0");
  await page.keyboard.type(SENTENCE, { delay: KEY_INTERVAL_MS });
  return page.evaluate<readonly number[]>("window.paintTimes.map(Math.round)");
}

function summary(samples: readonly number[]): Readonly<Record<string, number | null>> {
  return { keystrokes: samples.length, p50: quantile(samples, 0.5), p95: quantile(samples, 0.95), max: quantile(samples, 1) };
}

async function main(): Promise<void> {
  const workbench = await openWorkbench({ files: manyFiles(), open: "main.py", settings: PRODUCT_SETTINGS });
  const { page } = workbench;
  try {
    await installStopwatch(page);
    const started = Date.now();
    const before = await waitForStatus(page, /indexing \d+ of/, FULLY_INDEXED_PATIENCE_MS);
    const during = await measureTyping(workbench);
    const after = (await status(page)).text;
    await page.keyboard.press("Escape");
    if ((await savedText(workbench, "main.py")).split("\n")[0] !== SENTENCE) throw new Error("keys were lost while indexing");
    await waitUntilReady(page, FULLY_INDEXED_PATIENCE_MS);
    const indexedMs = Date.now() - started;
    await page.keyboard.press("Control+a");
    await page.keyboard.press("Delete");
    const idle = await measureTyping(workbench);
    writeMeasurement("vscode_indexing", {
      what: "keydown to the frame that shows the letter, VS Code 1.100.3 in headless Chromium, milliseconds",
      method: `a comment of ${SENTENCE.length} letters typed at ${KEY_INTERVAL_MS} ms a key, while ${FILES} files (${FILES * FUNCTIONS_PER_FILE} functions) are indexed, and again when they are`,
      while_indexing: summary(during),
      when_idle: summary(idle),
      status_before: before.split(" | ")[0]?.trim(),
      status_after: after.trim(),
      seconds_until_ready: Math.round(indexedMs / 1000),
    });
  } finally {
    await workbench.close();
  }
}

void main();
