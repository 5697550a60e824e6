// Films the extension at work for the README: a line completed, code found by description, a docstring updated. All is
// real: the editor, the server, the model. Writes pictures and their durations to dist/film; scripts/make_film.py
// makes docs/images/vscode.gif of them.

import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import * as path from "node:path";

import type { Page } from "playwright-core";

import { eventually, ghostText, goToLineEnd, listLabels, runCommand, waitForGhostText, waitUntilReady } from "./editing";
import { PATIENT_SETTINGS, REPOSITORY } from "./product";
import { CLIENT_ROOT, openWorkbench, PATIENCE_MS } from "./workbench";

const FOLDER = path.join(CLIENT_ROOT, "dist/film");
const SAMPLE = "ledger.py";
/** A small window, without its title bar in the pictures. */
const WINDOW = { width: 960, height: 570 };
const CLIP = { x: 0, y: 30, width: 960, height: 540 };
const KEY_MS = 80;
const LOOK_MS = 1_600;

const SHAPES = `

def net_price(gross: float, rate: float, discount: float = 0.0) -> float:
    """Return the price without tax.

    Args:
        gross: Price with tax, in euros.
        rate: Tax rate, such as 0.19.
    """
    return (gross - discount) / (1 + rate)
`;

interface Frame {
  readonly file: string;
  readonly milliseconds: number;
}

class Film {
  private readonly frames: Frame[] = [];

  constructor(private readonly page: Page) {
    rmSync(FOLDER, { recursive: true, force: true });
    mkdirSync(FOLDER, { recursive: true });
  }

  /** Takes a picture that will be seen for `milliseconds`. */
  async take(milliseconds: number): Promise<void> {
    const file = `${String(this.frames.length).padStart(3, "0")}.png`;
    await this.page.screenshot({ path: path.join(FOLDER, file), clip: CLIP });
    this.frames.push({ file, milliseconds });
  }

  /** Types `text` with a picture after each key, once what is suggested has come. */
  async type(text: string, settle: () => Promise<unknown>): Promise<void> {
    for (const letter of text) {
      await this.page.keyboard.type(letter);
      await settle();
      await this.page.evaluate("new Promise((painted) => requestAnimationFrame(() => requestAnimationFrame(painted)))");
      await this.take(KEY_MS);
    }
  }

  finish(): void {
    writeFileSync(path.join(FOLDER, "frames.json"), JSON.stringify(this.frames));
  }
}

async function completeLines(page: Page, film: Film, lines: readonly string[]): Promise<void> {
  await page.keyboard.press("Control+End");
  await page.keyboard.insertText("\n\n");
  const paint = (): Promise<void> => page.waitForTimeout(KEY_MS);
  await film.take(LOOK_MS / 2);
  for (const start of lines) {
    await film.type(start, paint);
    await waitForGhostText(page);
    await film.take(LOOK_MS);
    await page.keyboard.press("Tab");
    await page.waitForTimeout(300);
    if ((await ghostText(page)) !== "") await page.keyboard.press("Escape");
    await page.waitForTimeout(300);
    await film.take(LOOK_MS / 2);
    await page.keyboard.press("Enter");
  }
}

async function findCode(page: Page, film: Film, words: string, name: string): Promise<void> {
  await runCommand(page, "CodeT5+: Find Code by Description");
  await page.locator(".quick-input-title", { hasText: "Find Code by Description" }).waitFor();
  await film.take(LOOK_MS / 2);
  await film.type(words, () => page.waitForTimeout(KEY_MS));
  await eventually(name, async () => ((await listLabels(page))[0]?.trim() === name ? true : undefined));
  await page.waitForTimeout(1_000);
  await film.take(LOOK_MS);
  await page.keyboard.press("Enter");
  await page.locator(".quick-input-widget").waitFor({ state: "hidden" });
  await page.waitForTimeout(500);
  await film.take(LOOK_MS);
}

async function updateDocstring(page: Page, film: Film, line: number): Promise<void> {
  await goToLineEnd(page, line);
  await film.take(LOOK_MS);
  await runCommand(page, "CodeT5+: Update Docstring");
  await page.locator(".monaco-diff-editor .line-insert").first().waitFor({ state: "attached", timeout: PATIENCE_MS });
  await page.locator(".quick-input-list .monaco-list-row.focused", { hasText: "Update docstring" }).waitFor();
  await page.waitForTimeout(500);
  await film.take(2 * LOOK_MS);
  await page.keyboard.press("Enter");
  await page.locator(".monaco-diff-editor").waitFor({ state: "detached" });
  await page.waitForTimeout(500);
  await film.take(2 * LOOK_MS);
}

async function main(): Promise<void> {
  const text = readFileSync(path.join(REPOSITORY, "examples", SAMPLE), "utf8") + SHAPES;
  const settings = { ...PATIENT_SETTINGS, "editor.autoIndent": "full", "workbench.sideBar.location": "right" };
  const workbench = await openWorkbench({ files: { [SAMPLE]: text }, open: SAMPLE, settings });
  const { page } = workbench;
  try {
    await waitUntilReady(page);
    await page.setViewportSize(WINDOW);
    await page.keyboard.press("Control+b"); // hides the side bar
    const film = new Film(page);
    await goToLineEnd(page, 1);
    await completeLines(page, film, ["def import_json(ledger: Ledger, path: Path)", "with open", "da"]);
    await findCode(page, film, "entries of one month", "Ledger.month");
    await updateDocstring(page, film, text.split("\n").findIndex((line) => line.startsWith("def net_price")) + 1);
    film.finish();
  } finally {
    await workbench.close();
  }
}

void main();
