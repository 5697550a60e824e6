// The product under test: the repository's own server with its released model.

import { mkdirSync } from "node:fs";
import * as path from "node:path";

import type { Page } from "playwright-core";

import { CLIENT_ROOT } from "./workbench";

export const REPOSITORY = path.dirname(CLIENT_ROOT);
/** Where pictures go: `run.sh pictures` sets the documentation's folder, and otherwise that stays as it is. */
const IMAGES = process.env["PICTURES"] ?? path.join(CLIENT_ROOT, "dist/pictures");

export const SERVER_PROGRAM = path.join(REPOSITORY, ".venv/bin/codet5p");
export const PRODUCT_SETTINGS = { "codet5p.server.path": SERVER_PROGRAM };

/** For tests, which ask what is suggested, not how soon: on a busy machine the time limit would cut suggestions off. */
export const PATIENT_SETTINGS = { ...PRODUCT_SETTINGS, "codet5p.completion.timeLimitMilliseconds": 20_000 };

/** What `package.sh` makes: the extension with the server's wheel. */
export const PACKAGED_VSIX = path.join(CLIENT_ROOT, "dist/codet5p-packaged.vsix");

/** Takes a picture for the documentation, in the run that checks what it shows. */
export async function screenshot(page: Page, name: string): Promise<void> {
  mkdirSync(IMAGES, { recursive: true });
  await page.screenshot({ path: path.join(IMAGES, `${name}.png`) });
}
