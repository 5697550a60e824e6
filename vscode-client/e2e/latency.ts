// Measures what a user feels: from the keystroke to ghost text on the screen, in the real editor with the real model.
// Writes benchmarks/results/vscode_latency.json.

import { readFileSync } from "node:fs";
import * as path from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import type { Page } from "playwright-core";

import { eventually, ghostText, goToLineEnd, listLabels, waitUntilReady } from "./editing";
import { quantile, writeMeasurement } from "./measurement";
import { PRODUCT_SETTINGS, REPOSITORY } from "./product";
import { openWorkbench } from "./workbench";

const SAMPLE = "examples/ledger.py";
/** Longest wait for ghost text; a keystroke without any by then counts as silent. */
const GIVE_UP_MS = 2_000;
/** A brisk typist: 110 words a minute. */
const KEY_INTERVAL_MS = 110;
const MOST_LINES = 24;
/** What is known already stands there within a tenth of a second; the model takes several. Nothing lies between. */
const ASKED_MS = 200;

interface Sample {
  readonly line: number;
  /** Which key was timed: the first one of the line, or the one behind its first word. */
  readonly key: "first" | "word";
  /** Whether no ghost text was there when the last key went down, so that a new suggestion had to come. */
  readonly fresh: boolean;
  /** Null where no ghost text came. */
  readonly milliseconds: number | null;
}

/** Lines that are typed again: those of statements long enough to have an end worth suggesting. */
function chooseLines(text: string): readonly number[] {
  return text.split("\n").flatMap((line, index) => (/^\s+\w.{14,}$/.test(line) ? [index + 1] : [])).slice(0, MOST_LINES);
}

/**
 * Watches in the page itself, so that no round trip to the browser is counted: notes the time of the last key event,
 * whether ghost text was there then, and the time of the first frame after it in which ghost text is there.
 */
async function installStopwatch(page: Page): Promise<void> {
  await page.evaluate(`(() => {
    const watch = { pressed: 0, shown: 0, fresh: true };
    window.ghostWatch = watch;
    const find = () => document.querySelector(".editor-instance .ghost-text-decoration");
    document.addEventListener("keydown", () => {
      Object.assign(watch, { pressed: performance.now(), shown: 0, fresh: find() === null });
    }, true);
    const look = () => {
      const ghost = find();
      if (watch.pressed > 0 && watch.shown === 0 && ghost !== null) watch.shown = performance.now();
      requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  })()`);
}

/** Empties the line, types its first word and a blank, and times the first and the last key. The line is put back afterwards. */
async function measureLine(page: Page, line: number, text: string): Promise<readonly Sample[]> {
  await goToLineEnd(page, line);
  await page.keyboard.press("Shift+Home");
  await page.keyboard.press("Delete");
  await clearGhostText(page);
  const start = /^\s*\w+\W/.exec(text)?.[0].trimStart() ?? "";
  const samples: Sample[] = [];
  for (const [key, letters] of [["first", start.slice(0, 1)], ["word", start.slice(1)]] as const) {
    await page.keyboard.type(letters, { delay: KEY_INTERVAL_MS });
    samples.push({ line, key, ...(await timeLastKey(page)) });
  }
  await clearGhostText(page);
  await page.keyboard.press("Shift+Home");
  await page.keyboard.insertText(text.trimStart());
  return samples;
}

async function timeLastKey(page: Page): Promise<Pick<Sample, "fresh" | "milliseconds">> {
  const deadline = Date.now() + GIVE_UP_MS;
  let milliseconds: number | null = null;
  while (milliseconds === null && Date.now() < deadline) {
    await delay(25);
    milliseconds = await page.evaluate<number | null>("ghostWatch.shown > 0 ? ghostWatch.shown - ghostWatch.pressed : null");
  }
  const fresh = await page.evaluate<boolean>("ghostWatch.fresh");
  return { fresh, milliseconds: milliseconds === null ? null : Math.round(milliseconds) };
}

/** Sends ghost text away until it stays away: an answer may still be on its way. */
async function clearGhostText(page: Page): Promise<void> {
  for (let quiet = 0; quiet < 10; ) {
    const isThere = (await ghostText(page)) !== "";
    if (isThere) await page.keyboard.press("Escape");
    quiet = isThere ? 0 : quiet + 1;
    await delay(100);
  }
}

/** The server's own figures, as its menu in the editor shows them. */
async function serverLatency(page: Page): Promise<string> {
  await page.locator(".statusbar-item", { hasText: "CodeT5+" }).first().click();
  const label = await eventually("the menu", async () => (await listLabels(page)).find((entry) => entry.includes("Latency")));
  await page.keyboard.press("Escape");
  return label.trim();
}

function summary(samples: readonly Sample[]): Readonly<Record<string, number | null>> {
  const times = samples.flatMap(({ milliseconds }) => (milliseconds === null ? [] : [milliseconds]));
  const [p50, p95, max] = [0.5, 0.95, 1].map((share) => quantile(times, share));
  return { keystrokes: samples.length, shown: times.length, p50: p50 ?? null, p95: p95 ?? null, max: max ?? null };
}

async function main(): Promise<void> {
  const text = readFileSync(path.join(REPOSITORY, SAMPLE), "utf8");
  const workbench = await openWorkbench({ files: { "ledger.py": text }, open: "ledger.py", settings: PRODUCT_SETTINGS });
  try {
    const { page } = workbench;
    await waitUntilReady(page);
    await installStopwatch(page);
    const samples: Sample[] = [];
    const lines = text.split("\n");
    for (const line of chooseLines(text)) samples.push(...(await measureLine(page, line, lines[line - 1] ?? "")));
    write(samples, await serverLatency(page));
  } finally {
    await workbench.close();
  }
}

function write(samples: readonly Sample[], server: string): void {
  writeMeasurement("vscode_latency", {
    what: "keydown in the page to the first frame with ghost text, VS Code 1.100.3 in headless Chromium, milliseconds",
    method: `lines of ${SAMPLE} are emptied and begun again at ${KEY_INTERVAL_MS} ms a key; timed are the first key, after which there is a pause, and the last key of the first word and what follows it; asked_of_the_model are those over ${ASKED_MS} ms: the others were known from the line as it was before`,
    all: summary(samples),
    new_suggestions: summary(samples.filter(({ fresh }) => fresh)),
    asked_of_the_model: summary(samples.filter(({ milliseconds }) => milliseconds !== null && milliseconds > ASKED_MS)),
    first_key_of_a_line: summary(samples.filter(({ key }) => key === "first")),
    behind_the_first_word: summary(samples.filter(({ key }) => key === "word")),
    server: server.replace(/^\W*Latency: /, ""),
    samples,
  });
}

void main();
