// A real workbench: code-server with the packaged extension in a profile of its own, shown by headless Chromium.

import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { chromium, type Browser, type Page } from "playwright-core";

/** The client's folder; the compiled harness lies in dist/tests/e2e. */
export const CLIENT_ROOT = path.resolve(__dirname, "../../..");
export const VSIX = path.join(CLIENT_ROOT, "dist", "codet5p-e2e.vsix");
const CODE_SERVER = path.join(CLIENT_ROOT, "e2e/.cache/code-server-4.100.3/node_modules/code-server/out/node/entry.js");
/** Generous: on a machine that does other work too, code-server, extension host and browser start slowly. */
const START_TIMEOUT_MS = 240_000;

/** How long the editor may take for anything: two cores are shared, and only a failure takes so long. */
export const PATIENCE_MS = 120_000;

/** No first-run noise, and nothing on the page that moves by itself. */
const STEADY_SETTINGS = {
  "chat.commandCenter.enabled": false,
  "editor.accessibilitySupport": "off",
  "editor.autoIndent": "none",
  "editor.autoClosingBrackets": "never",
  "editor.autoClosingQuotes": "never",
  "editor.cursorBlinking": "solid",
  "editor.hover.delay": 100,
  "editor.inlineSuggest.enabled": true,
  "editor.minimap.enabled": false,
  "editor.parameterHints.enabled": false,
  "editor.quickSuggestions": { comments: "off", other: "off", strings: "off" },
  "editor.suggestOnTriggerCharacters": false,
  "editor.wordBasedSuggestions": "off",
  "extensions.autoCheckUpdates": false,
  "extensions.autoUpdate": false,
  "extensions.ignoreRecommendations": true,
  "files.autoSave": "off",
  "files.simpleDialog.enable": true,
  "git.enabled": false,
  "telemetry.telemetryLevel": "off",
  "update.mode": "none",
  "window.commandCenter": false,
  "workbench.colorTheme": "Default Dark Modern",
  "workbench.enableExperiments": false,
  "workbench.reduceMotion": "on",
  "workbench.startupEditor": "none",
  "workbench.tips.enabled": false,
};
const WALKTHROUGHS = "workbench.welcomePage.walkthroughs.openOnInstall";

/** What is shown in a window. */
export interface Scene {
  /** Workspace files by relative path. */
  readonly files: Readonly<Record<string, string>>;
  /** The file that is open at the start: by its relative path, or by its address where it is not in the folder. */
  readonly open: string;
  /** A `.code-workspace` among the files that is opened in the place of the folder. */
  readonly workspace?: string;
  readonly settings: Readonly<Record<string, unknown>>;
}

export interface WorkbenchOptions extends Scene {
  readonly vsix?: string;
  /** Further extensions, as .vsix files. */
  readonly others?: readonly string[];
  /** Whether the walkthrough may open by itself, as it does for a new user. */
  readonly walkthrough?: boolean;
  /** Whether the folder is untrusted at first, as a folder from elsewhere is. */
  readonly asksForTrust?: boolean;
  /** Changes to the environment of code-server, and thereby of the extension and its server. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface Workbench {
  readonly page: Page;
  /** The workspace folder. */
  readonly folder: string;
  readonly profile: string;
  /** Shows another folder in the same window: all that runs in it starts afresh, which takes less than a new workbench. */
  reopen(scene: Scene): Promise<void>;
  /** Opens the folder in a second window. */
  secondWindow(open: string): Promise<Page>;
  close(): Promise<void>;
}

/** Installs the extension into a fresh profile, starts everything and waits until the workbench is up. */
export async function openWorkbench(options: WorkbenchOptions): Promise<Workbench> {
  const profile = await mkdtemp(path.join(tmpdir(), "codet5p-e2e-"));
  const folder = await setScene(profile, options, options);
  const env = isolatedEnvironment(profile, options.env ?? {});
  const flags = ["--user-data-dir", path.join(profile, "user"), "--extensions-dir", path.join(profile, "extensions")];
  installExtensions([options.vsix ?? VSIX, ...(options.others ?? [])], flags, env);
  if (options.asksForTrust !== true) flags.push("--disable-workspace-trust");
  const port = await freePort();
  const codeServer = startCodeServer(port, flags, profile, env);
  let browser: Browser | undefined;
  const close = async (): Promise<void> => {
    await browser?.close();
    await stopGroup(codeServer);
    await rm(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  };
  try {
    await waitUntilHealthy(port);
    browser = await startBrowser(isolatedEnvironment(profile, {}));
    const page = await newPage(browser);
    await show(page, port, folder, options);
    return new OpenWorkbench(page, profile, folder, port, options, close);
  } catch (error) {
    await close();
    throw error;
  }
}

class OpenWorkbench implements Workbench {
  constructor(
    readonly page: Page,
    readonly profile: string,
    public folder: string,
    private readonly port: number,
    private readonly options: WorkbenchOptions,
    readonly close: () => Promise<void>,
  ) {}

  async reopen(scene: Scene): Promise<void> {
    await this.page.goto("about:blank"); // ends the window with its extension host before its files change
    this.folder = await setScene(this.profile, scene, this.options);
    await show(this.page, this.port, this.folder, scene);
  }

  async secondWindow(open: string): Promise<Page> {
    const page = await this.page.context().newPage();
    await show(page, this.port, this.folder, { open });
    return page;
  }
}

/** Writes the settings and a new workspace folder, and returns that: a folder seen before would bring its open files back. */
async function setScene(profile: string, scene: Scene, { asksForTrust, walkthrough }: WorkbenchOptions): Promise<string> {
  const trust = { "security.workspace.trust.enabled": asksForTrust ?? false, "security.workspace.trust.startupPrompt": "never" };
  // In a browser, settings of machine scope count only in the second file.
  const ofMachine = Object.entries(scene.settings).filter(([name]) => name.startsWith("codet5p.server."));
  await writeFiles(profile, {
    "user/User/settings.json": JSON.stringify({ ...STEADY_SETTINGS, ...trust, ...scene.settings }),
    "user/Machine/settings.json": JSON.stringify({ ...Object.fromEntries(ofMachine), [WALKTHROUGHS]: walkthrough ?? false }),
  });
  const folder = path.join(await mkdtemp(path.join(profile, "folder-")), "workspace");
  await writeFiles(folder, scene.files);
  return folder;
}

async function writeFiles(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    const file = path.join(folder, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, text);
  }
}

/** Everything that is written goes to the profile; variables that code-server or Electron would read are left out. */
function isolatedEnvironment(profile: string, changes: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !/^(PORT|PASSWORD|VSCODE_|ELECTRON_|NODE_)/.test(name));
  return {
    ...Object.fromEntries(inherited),
    HOME: profile,
    XDG_CONFIG_HOME: path.join(profile, "config"),
    XDG_DATA_HOME: path.join(profile, "data"),
    ...changes,
  };
}

function installExtensions(files: readonly string[], profileFlags: readonly string[], env: NodeJS.ProcessEnv): void {
  const wishes = files.flatMap((file) => ["--install-extension", file]);
  const result = spawnSync(process.execPath, [CODE_SERVER, ...profileFlags, ...wishes], { env, encoding: "utf8" });
  if (result.status !== 0) throw new Error(`an extension could not be installed: ${result.stdout}${result.stderr}`);
}

function startCodeServer(port: number, profileFlags: readonly string[], profile: string, env: NodeJS.ProcessEnv): ChildProcess {
  const flags = [
    ...["--auth", "none", "--bind-addr", `127.0.0.1:${port}`, "--disable-telemetry", "--disable-update-check"],
    ...["--disable-getting-started-override", "--ignore-last-opened"],
  ];
  const child = spawn(process.execPath, [CODE_SERVER, ...profileFlags, ...flags], {
    env,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const log = createWriteStream(path.join(profile, "code-server.log"));
  child.stdout.pipe(log);
  child.stderr.pipe(log);
  return child;
}

async function waitUntilHealthy(port: number): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (Date.now() < deadline) {
    const answer = await fetch(`http://127.0.0.1:${port}/healthz`).catch(() => undefined);
    if (answer?.ok === true) return;
    await delay(100);
  }
  throw new Error("code-server did not come up");
}

function startBrowser(env: NodeJS.ProcessEnv): Promise<Browser> {
  const executablePath = spawnSync("sh", ["-c", "command -v chromium"], { encoding: "utf8" }).stdout.trim();
  return chromium.launch({
    executablePath,
    headless: true,
    timeout: START_TIMEOUT_MS,
    env: Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined)),
    args: [
      ...["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
      ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
    ],
  });
}

async function newPage(browser: Browser): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  context.setDefaultTimeout(PATIENCE_MS);
  return context.newPage();
}

/** Opens the scene's folder, or its workspace, with one file, and waits until the text of that is there. */
async function show(page: Page, port: number, folder: string, { open, workspace }: Pick<Scene, "open" | "workspace">): Promise<void> {
  const file = open.includes("://") ? open : `vscode-remote://127.0.0.1:${port}${path.join(folder, open)}`;
  const place = workspace === undefined ? { folder } : { workspace: path.join(folder, workspace) };
  const query = new URLSearchParams({ ...place, payload: JSON.stringify([["openFile", file]]) });
  await page.goto(`http://127.0.0.1:${port}/?${query.toString()}`, { timeout: START_TIMEOUT_MS });
  await page.waitForSelector(".monaco-workbench .part.editor", { timeout: START_TIMEOUT_MS });
  await page.waitForSelector(".editor-instance .view-line", { timeout: START_TIMEOUT_MS });
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  probe.close();
  if (address === null || typeof address === "string") throw new Error("no free port");
  return address.port;
}

/** Ends the process group: extension host and language server live on for seconds after code-server itself. */
async function stopGroup(child: ChildProcess): Promise<void> {
  if (child.pid === undefined) return;
  const group = -child.pid;
  signalGroup(group, "SIGTERM");
  const deadline = Date.now() + 8_000;
  while (Date.now() < deadline && signalGroup(group, 0)) await delay(100);
  signalGroup(group, "SIGKILL");
}

function signalGroup(group: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(group, signal);
    return true;
  } catch {
    return false;
  }
}
