// What a user does and sees in the workbench, in the words of a test.

import { readFile } from "node:fs/promises";
import * as path from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import type { Locator, Page } from "playwright-core";

import { PATIENCE_MS, type Workbench } from "./workbench";

export { PATIENCE_MS };

/** Longest wait for a row of the palette: it filters what it has within a moment. */
const PALETTE_MS = 5_000;

/** Waits until `read` returns something other than undefined, and returns that. */
export async function eventually<Value>(what: string, read: () => Promise<Value | undefined>, timeoutMs = PATIENCE_MS): Promise<Value> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const value = await read();
    if (value !== undefined) return value;
    if (Date.now() > deadline) throw new Error(`waited ${timeoutMs} ms in vain for ${what}`);
    await delay(50);
  }
}

/** The text of the extension's status bar item, with its tooltip as the label that screen readers get. */
export async function status(page: Page): Promise<{ text: string; label: string }> {
  const item = page.locator(".statusbar-item", { hasText: "CodeT5+" }).first();
  const text = await item.innerText({ timeout: PATIENCE_MS });
  return { text: clean(text), label: (await item.getAttribute("aria-label")) ?? "" };
}

export async function waitForStatus(page: Page, pattern: RegExp, timeoutMs = PATIENCE_MS): Promise<string> {
  let last = "";
  const matching = async (): Promise<string | undefined> => {
    const { text, label } = await status(page);
    last = `${text} | ${label}`;
    return pattern.test(last) ? last : undefined;
  };
  return eventually(`status ${String(pattern)}`, matching, timeoutMs).catch((error: unknown) => {
    throw new Error(`the status bar says ${JSON.stringify(last)}`, { cause: error });
  });
}

export const waitUntilReady = (page: Page, timeoutMs = PATIENCE_MS): Promise<string> => waitForStatus(page, /is ready/, timeoutMs);

/** With the part that the open list would insert, which has a class of its own. */
const FIRST_LINE = ".editor-instance .ghost-text-decoration, .editor-instance .ghost-text-decoration-preview";
const FURTHER_LINES = ".view-zones .suggest-preview-text .view-line";

/** The ghost text on the page; empty when there is none. Further lines follow after a newline. */
export async function ghostText(page: Page): Promise<string> {
  const first = await page.locator(FIRST_LINE).allTextContents();
  const further = await page.locator(FURTHER_LINES).allTextContents();
  return clean([first.join(""), ...further].join("\n")).replace(/\n+$/, "");
}

export function waitForGhostText(page: Page): Promise<string> {
  return eventually("ghost text", async () => (await ghostText(page)) || undefined);
}

/**
 * Presses `key` and returns the ghost text that was on the screen at that very moment: a newer answer may replace the
 * one that a test has read before.
 */
export async function pressOnGhostText(page: Page, key: string): Promise<string> {
  await waitForGhostText(page);
  await page.evaluate(`(() => {
    const find = (selector) => [...document.querySelectorAll(selector)].map((node) => node.textContent);
    window.addEventListener("keydown", () => {
      window.ghostAtKey = [find("${FIRST_LINE}").join(""), ...find("${FURTHER_LINES}")].join("\\n");
    }, { capture: true, once: true });
  })()`);
  await page.keyboard.press(key);
  return clean(await page.evaluate<string>("ghostAtKey"));
}

export function waitUntilGhostTextIsGone(page: Page): Promise<true> {
  return eventually("the ghost text to go", async () => ((await ghostText(page)) === "" ? true : undefined));
}

/** Watches for `quietMs` that no ghost text appears. */
export async function expectNoGhostText(page: Page, quietMs = 2_500): Promise<void> {
  const deadline = Date.now() + quietMs;
  while (Date.now() < deadline) {
    const ghost = await ghostText(page);
    if (ghost !== "") throw new Error(`unwanted ghost text: ${JSON.stringify(ghost)}`);
    await delay(100);
  }
}

/** Puts the cursor at the end of line `line`, counted from 1. */
export async function goToLineEnd(page: Page, line: number): Promise<void> {
  await page.locator(".editor-instance .view-lines").first().click();
  await page.keyboard.press("Control+g");
  await page.locator(".quick-input-widget .quick-input-box input").fill(`:${line}`);
  await page.locator(".quick-input-list .monaco-list-row", { hasText: `line ${line}` }).waitFor();
  await page.keyboard.press("Enter");
  await page.locator(".quick-input-widget").waitFor({ state: "hidden" });
  await page.locator(".statusbar-item", { hasText: `Ln ${line}, ` }).waitFor();
  await page.keyboard.press("End");
}

/** Types as a person does, key by key. */
export async function type(page: Page, text: string): Promise<void> {
  await page.keyboard.type(text, { delay: 60 });
}

/** Empties the open file, saves it, and types `text` into it. */
export async function typeIntoEmptyFile(page: Page, text: string): Promise<void> {
  await page.locator(".editor-instance .view-lines").first().click();
  await page.keyboard.press("Control+a");
  await page.keyboard.press("Delete");
  await page.keyboard.press("Escape");
  await page.keyboard.insertText(text);
}

/** Saves the open file and returns what lies on the disk. */
export async function savedText(workbench: Workbench, file: string): Promise<string> {
  const onDisk = (): Promise<string> => readFile(path.join(workbench.folder, file), "utf8");
  await workbench.page.keyboard.press("Control+s");
  await workbench.page.locator(".tab.active.dirty").waitFor({ state: "detached", timeout: PATIENCE_MS });
  return onDisk();
}

/**
 * Runs a command by its title in the palette. What the palette offers is settled when it opens: where a command is not
 * there yet, such as one that waits for the server, it is closed and opened again.
 */
export async function runCommand(page: Page, title: string): Promise<void> {
  await eventually(`the command ${title}`, async () => {
    await page.keyboard.press("F1");
    await page.locator(".quick-input-widget .quick-input-box input").fill(`>${title}`);
    // Enter takes the focused row, which may still be that of the unfiltered list.
    const row = page.locator(".quick-input-list .monaco-list-row.focused", { hasText: title });
    const isThere = await row.waitFor({ timeout: PALETTE_MS }).then(() => true, () => false);
    if (!isThere) await page.keyboard.press("Escape");
    return isThere ? true : undefined;
  });
  await page.keyboard.press("Enter");
}

/** The titles that the palette lists for `start`, once `known` is among them. */
export async function paletteTitles(page: Page, start: string, known: string): Promise<string[]> {
  await page.keyboard.press("F1");
  await page.locator(".quick-input-widget .quick-input-box input").fill(`>${start}`);
  const titles = await eventually(`the command ${known}`, async () => {
    const found = await listLabels(page);
    return found.includes(known) ? found : undefined;
  });
  await page.keyboard.press("Escape");
  return titles;
}

/** The labels of the open list, top to bottom. */
export async function listLabels(page: Page): Promise<string[]> {
  return (await page.locator(".quick-input-list .quick-input-list-row:first-child .label-name").allTextContents()).map(clean);
}

/** Opens the menu until its lines match, and returns them; it is closed then. */
export function waitForMenu(page: Page, pattern: RegExp, timeoutMs = PATIENCE_MS): Promise<string> {
  return eventually(`${String(pattern)} in the menu`, async () => {
    const menu = (await menuLabels(page)).join("\n");
    return pattern.test(menu) ? menu : undefined;
  }, timeoutMs);
}

/** The lines of the menu; it is closed then. */
export async function menuLabels(page: Page): Promise<readonly string[]> {
  await page.locator(".statusbar-item", { hasText: "CodeT5+" }).first().click();
  await page.locator(".quick-input-box input:focus").waitFor(); // a list that was closed keeps its rows, unseen
  const labels = await eventually("the menu", async () => {
    const found = await listLabels(page);
    return found.some((label) => label.includes("Restart the server")) ? found : undefined;
  });
  await page.keyboard.press("Escape");
  await page.locator(".quick-input-widget").waitFor({ state: "hidden" });
  return labels;
}

export function waitForToast(page: Page, pattern: RegExp): Promise<string> {
  return eventually(`notification ${String(pattern)}`, async () => {
    const texts = (await page.locator(".notification-toast").allTextContents()).map(clean);
    return texts.find((text) => pattern.test(text));
  });
}

export function toastButton(page: Page, label: string): Locator {
  return page.locator(".notification-toast .monaco-button", { hasText: label });
}

export async function dismissToasts(page: Page): Promise<void> {
  await runCommand(page, "Notifications: Clear All Notifications");
  await page.locator(".notification-toast").first().waitFor({ state: "detached" });
}

/** Monaco shows blanks as no-break spaces. */
function clean(text: string): string {
  return text.replaceAll("\u00a0", " ").replaceAll("\u200b", "");
}
