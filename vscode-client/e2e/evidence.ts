// What is kept of a test that failed: a picture of the page, and the last words of editor, extension and server.

import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import * as path from "node:path";

import { CLIENT_ROOT, type Workbench } from "./workbench";

const FOLDER = path.join(CLIENT_ROOT, "dist/failures");
const LAST_LINES = 40;

/** What Node 20 tells a hook about its test; its type declarations do not know it yet. */
interface Outcome {
  readonly name: string;
  readonly passed: boolean;
}

/** For `afterEach`: writes a picture to dist/failures and prints the logs, if the test has failed. */
export async function keepEvidence(context: unknown, workbench: Workbench | undefined): Promise<void> {
  const { name, passed } = context as Outcome;
  if (passed || workbench === undefined) return;
  mkdirSync(FOLDER, { recursive: true });
  const picture = path.join(FOLDER, `${name.replaceAll(/\W+/g, "-").slice(0, 80)}.png`);
  await workbench.page.screenshot({ path: picture }).catch(() => undefined);
  process.stdout.write(`${picture}\n`);
  for (const log of logFiles(workbench.profile)) process.stdout.write(`--- ${path.basename(log)}\n${lastLines(log)}\n`);
}

/** The extension host's log, the extension's own output channel, and what code-server wrote. */
function logFiles(profile: string): readonly string[] {
  const logs = path.join(profile, "user/logs");
  const inside = existsSync(logs) ? readdirSync(logs, { recursive: true, encoding: "utf8" }) : [];
  const wanted = inside.filter((name) => /(CodeT5\+|remoteexthost)\.log$/.test(name));
  return [path.join(profile, "code-server.log"), ...wanted.map((name) => path.join(logs, name))];
}

function lastLines(file: string): string {
  return existsSync(file) ? readFileSync(file, "utf8").trimEnd().split("\n").slice(-LAST_LINES).join("\n") : "(no file)";
}
