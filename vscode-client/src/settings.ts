// The settings that the client itself acts on. Everything else under `codet5p` is the server's to read and to check.

import { homedir } from "node:os";

import * as vscode from "vscode";

import { fromHome } from "./interpreters";

export const SECTION = "codet5p";
const COMPLETION_ENABLE = "completion.enable";

export const configuredServerPath = (): string => fromHome(textSetting("server.path"), homedir());

export const configuredCacheFolder = (): string => fromHome(textSetting("server.cacheFolder"), homedir());

/** Whether completion is on for `languageId`; anything but an explicit `false` is on. */
export function isCompletionEnabled(languageId: string | undefined): boolean {
  return configurationFor(languageId).get<unknown>(COMPLETION_ENABLE) !== false;
}

/** Says where completion is switched off for the status bar: "everywhere", the language, or undefined. */
export function completionOff(languageId: string | undefined): string | undefined {
  if (!isCompletionEnabled(undefined)) return languageId !== undefined && isCompletionEnabled(languageId) ? undefined : "everywhere";
  return languageId !== undefined && !isCompletionEnabled(languageId) ? `for ${languageId}` : undefined;
}

export async function toggleCompletion(): Promise<void> {
  const configuration = configurationFor(undefined);
  await configuration.update(COMPLETION_ENABLE, !isCompletionEnabled(undefined), vscode.ConfigurationTarget.Global);
}

/** What a language has of its own is taken away where it says the same as for all: the switch for all would miss it. */
export async function toggleCompletionFor(languageId: string): Promise<void> {
  const wanted = !isCompletionEnabled(languageId);
  const own = wanted === isCompletionEnabled(undefined) ? undefined : wanted;
  await configurationFor(languageId).update(COMPLETION_ENABLE, own, vscode.ConfigurationTarget.Global, true);
}

/**
 * Everything under `codet5p` as plain data for the server, which checks it. A good value of `completion.enable` is
 * replaced by true: it may differ by language, which only this side knows.
 */
export function settingsForServer(): unknown {
  const settings = JSON.parse(JSON.stringify(vscode.workspace.getConfiguration(SECTION))) as { completion?: unknown };
  const { completion } = settings;
  if (typeof completion === "object" && completion !== null && "enable" in completion && typeof completion.enable === "boolean") {
    completion.enable = true;
  }
  return settings;
}

function configurationFor(languageId: string | undefined): vscode.WorkspaceConfiguration {
  return vscode.workspace.getConfiguration(SECTION, languageId === undefined ? undefined : { languageId });
}

function textSetting(name: string): string {
  const value = configurationFor(undefined).get<unknown>(name);
  return typeof value === "string" ? value.trim() : "";
}
