// Ghost text from the real server with the real model, in a real editor.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { after, afterEach, before, describe, test } from "node:test";

import {
  dismissToasts,
  eventually,
  expectNoGhostText,
  ghostText,
  goToLineEnd,
  listLabels,
  pressOnGhostText,
  runCommand,
  savedText,
  type,
  typeIntoEmptyFile,
  waitForGhostText,
  waitForStatus,
  waitForToast,
  waitUntilGhostTextIsGone,
  waitUntilReady,
} from "./editing";
import { keepEvidence } from "./evidence";
import { PATIENT_SETTINGS, screenshot } from "./product";
import { openWorkbench, type Workbench } from "./workbench";

const FILE = "inventory.py";
const TEXT = `import json
from pathlib import Path


def load_items(path):
    """Return the items of the JSON file at path."""
    text = Path(path).read_text(encoding="utf-8")
    return json.loads(text)


def total_price(items):
    """Return the price of all items together."""
    total = 0
    for item in items:
        total += item["price"]
`;

describe("completion", () => {
  let workbench: Workbench;

  before(async () => {
    workbench = await openWorkbench({
      files: { [FILE]: TEXT },
      open: FILE,
      settings: { ...PATIENT_SETTINGS, "codet5p.completion.maxNewTokens": "many" },
    });
    await waitUntilReady(workbench.page);
  });
  afterEach((context) => keepEvidence(context, workbench));
  after(() => workbench.close());

  test("a setting of the wrong type is reported by name, and its default is used", async () => {
    const toast = await waitForToast(workbench.page, /codet5p\.completion\.maxNewTokens/);
    assert.match(toast, /default 24/);
    await dismissToasts(workbench.page);
  });

  test("ghost text appears while code is typed, and Tab inserts exactly that", async () => {
    const { page } = workbench;
    await typeIntoEmptyFile(page, TEXT);
    await type(page, "    ret");
    await waitForGhostText(page);
    await screenshot(page, "vscode-ghost-text");
    const ghost = await pressOnGhostText(page, "Tab");
    await eventually("the suggestion to be taken", async () => ((await ghostText(page)) === ghost ? undefined : true));
    await page.keyboard.press("Escape");
    assert.equal(await savedText(workbench, FILE), `${TEXT}    ret${ghost}`);
  });

  test("accepting a word inserts the first word of the ghost text and leaves the rest", async () => {
    const { page } = workbench;
    await typeIntoEmptyFile(page, TEXT);
    await type(page, "    return");
    const ghost = await pressOnGhostText(page, "Control+ArrowRight");
    const rest = await eventually("a shorter suggestion", async () => {
      const now = await ghostText(page);
      return now !== ghost && ghost.endsWith(now) ? now : undefined;
    });
    await page.keyboard.press("Escape");
    assert.equal(await savedText(workbench, FILE), `${TEXT}    return${ghost.slice(0, ghost.length - rest.length)}`);
  });

  test("Escape sends the suggestion away and leaves the text alone", async () => {
    const { page } = workbench;
    await typeIntoEmptyFile(page, TEXT);
    await type(page, "    ret");
    await waitForGhostText(page);
    await page.keyboard.press("Escape");
    await waitUntilGhostTextIsGone(page);
    await expectNoGhostText(page);
    assert.equal(await savedText(workbench, FILE), `${TEXT}    ret`);
  });

  test("in the middle of a word nothing is suggested", async () => {
    const { page } = workbench;
    await typeIntoEmptyFile(page, `${TEXT}    total_price`);
    for (let step = 0; step < 6; step++) await page.keyboard.press("ArrowLeft");
    await type(page, "x");
    await expectNoGhostText(page);
  });

  test("while text is selected nothing is suggested", async () => {
    const { page } = workbench;
    await typeIntoEmptyFile(page, `${TEXT}    return total`);
    await page.keyboard.press("Escape");
    await page.keyboard.press("Shift+Home");
    await expectNoGhostText(page, 1_500);
  });

  test("snooze silences it, an explicit request is still answered, and the end of the snooze brings it back", async () => {
    const { page } = workbench;
    await typeIntoEmptyFile(page, TEXT);
    await runCommand(page, "CodeT5+: Snooze Completion...");
    await eventually("the list of lengths", async () => ((await listLabels(page)).includes("15 minutes") ? true : undefined));
    await page.keyboard.press("Enter");
    await waitForStatus(page, /snoozed for another 5 min/);
    await type(page, "    ret");
    await expectNoGhostText(page);
    await page.keyboard.press("Alt+\\");
    await waitForGhostText(page);
    await page.keyboard.press("Escape");
    await runCommand(page, "CodeT5+: End Snooze");
    await waitUntilReady(page);
    await type(page, "u");
    await waitForGhostText(page);
  });

  const switches = [
    { title: "a language can be switched off and on again", command: "CodeT5+: Toggle Completion for This Language", status: /switched off \(for python\)/ },
    { title: "completion can be switched off everywhere, and on again", command: "CodeT5+: Toggle Completion Everywhere", status: /switched off \(everywhere\)/ },
  ];
  for (const { title, command, status } of switches) {
    test(title, async () => {
      const { page } = workbench;
      await typeIntoEmptyFile(page, TEXT);
      await runCommand(page, command);
      await waitForStatus(page, status);
      await type(page, "    ret");
      await expectNoGhostText(page);
      await runCommand(page, command);
      await waitUntilReady(page);
      await type(page, "u");
      await waitForGhostText(page);
    });
  }

  test("the menu shows the model, the measured latency, the memory and the local counters", async () => {
    const { page } = workbench;
    await page.locator(".statusbar-item", { hasText: "CodeT5+" }).first().click();
    const labels = await eventually("the menu", async () => {
      const found = await listLabels(page);
      return found.some((label) => label.includes("Restart the server")) ? found : undefined;
    });
    await screenshot(page, "vscode-menu");
    const menu = labels.join("\n");
    assert.match(menu, /Model \S+, revision \S+/);
    assert.match(menu, /Latency: half within \d+ ms, 95 % within \d+ ms/);
    assert.match(menu, /Memory: \d+ MB/);
    assert.match(menu, /Taken 1 of \d+ suggestions \(\d+ %\), 1 words/);
    await page.keyboard.press("Escape");
  });

  test("a search over which the server ends says so, and has its hits once the server is back", async () => {
    const { page } = workbench;
    const title = page.locator(".quick-input-title");
    await runCommand(page, "CodeT5+: Find Code by Description");
    await title.filter({ hasText: "Find Code by Description" }).waitFor();
    await page.keyboard.type("price of all items", { delay: 15 });
    const firstHit = (name: string): Promise<true> =>
      eventually(`the hit ${name}`, async () => ((await listLabels(page))[0]?.trim() === name ? true : undefined));
    await firstHit("total_price");
    process.kill(serverProcess(workbench), "SIGKILL");
    await page.keyboard.press("Control+a");
    await page.keyboard.type("items of the JSON file", { delay: 15 });
    await title.filter({ hasText: "not ready yet" }).waitFor();
    await firstHit("load_items");
    await title.filter({ hasText: /^Find Code by Description$/ }).waitFor();
    await page.keyboard.press("Escape");
  });

  test("a killed server is started again, and completes again", async () => {
    const { page } = workbench;
    await typeIntoEmptyFile(page, TEXT);
    const killed = serverProcess(workbench);
    process.kill(killed, "SIGKILL");
    await waitForStatus(page, /ended unexpectedly/);
    await waitUntilReady(page);
    assert.notEqual(serverProcess(workbench), killed);
    await goToLineEnd(page, TEXT.split("\n").length);
    await type(page, "    ret");
    await waitForGhostText(page);
  });
});

/** The process id of the language server that belongs to this profile, found by its environment. */
function serverProcess({ profile }: Workbench): number {
  const script = `grep -lzs "^HOME=${profile}$" /proc/[0-9]*/environ | cut -d/ -f3 | while read pid; do
    tr "\\0" " " < /proc/$pid/cmdline | grep -q "codet5p.* serve" && echo $pid; done; true`;
  const [pid] = execFileSync("sh", ["-c", script], { encoding: "utf8" }).trim().split("\n");
  if (pid === undefined || pid === "") throw new Error("no server process is running");
  return Number(pid);
}
