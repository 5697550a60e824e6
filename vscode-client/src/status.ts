// What the status bar and its menu say, worked out from plain data.

import type { StatusResult } from "./contract";

export type ServerPhase =
  | { readonly kind: "installing"; readonly step: string }
  | { readonly kind: "starting" }
  | { readonly kind: "running" }
  | { readonly kind: "waiting"; readonly delayMs: number }
  | { readonly kind: "failed"; readonly message: string }
  | { readonly kind: "stopped" };

/** A long-running job that the server reports, such as loading the model or indexing; its message says how far it is. */
export interface Job {
  readonly title: string;
  readonly message: string | undefined;
}

export interface Situation {
  readonly phase: ServerPhase;
  readonly job: Job | undefined;
  /** Milliseconds since the epoch. */
  readonly snoozedUntil: number | undefined;
  /** Where completion is switched off: "everywhere", a language, or nowhere. */
  readonly off: string | undefined;
  /** The server's own word on why it cannot answer, for example a missing model. */
  readonly problem: string | undefined;
}

export interface StatusView {
  readonly text: string;
  readonly tooltip: string;
  readonly severity: "normal" | "warning" | "error";
}

const NAME = "CodeT5+";

export function statusView(situation: Situation, now: number): StatusView {
  return phaseView(situation.phase) ?? runningView(situation, now);
}

function phaseView(phase: ServerPhase): StatusView | undefined {
  switch (phase.kind) {
    case "installing":
      return view("$(cloud-download) CodeT5+: installing", `${NAME} is installing its server: ${phase.step}`);
    case "starting":
      return view("$(loading~spin) CodeT5+: starting", `${NAME} is starting its server`);
    case "waiting":
      return view(
        "$(warning) CodeT5+: restarting",
        `The ${NAME} server ended unexpectedly; it starts again in ${(phase.delayMs / 1000).toFixed(1)} s`,
        "warning",
      );
    case "failed":
      return view("$(error) CodeT5+: not running", `${phase.message} Click for what to do.`, "error");
    case "stopped":
      return view("$(circle-slash) CodeT5+: stopped", `The ${NAME} server is stopped. Click to start it.`);
    case "running":
      return undefined;
  }
}

function runningView(situation: Situation, now: number): StatusView {
  if (situation.problem !== undefined) {
    return view("$(error) CodeT5+: no model", situation.problem, "error");
  }
  if (situation.job !== undefined) {
    const detail = situation.job.message ?? situation.job.title;
    return view(`$(loading~spin) CodeT5+: ${detail}`, `${NAME}: ${detail}. It answers meanwhile as far as it can.`);
  }
  if (situation.snoozedUntil !== undefined) {
    const minutes = Math.ceil((situation.snoozedUntil - now) / 60_000);
    return view("$(bell-slash) CodeT5+: snoozed", `Completion is snoozed for another ${minutes} min. Click to end it.`);
  }
  if (situation.off !== undefined) {
    return view("$(circle-slash) CodeT5+: off", `Completion is switched off (${situation.off}). Click to change it.`);
  }
  return view("$(sparkle) CodeT5+", `${NAME} is ready. Click for latency, memory, index and more.`);
}

function view(text: string, tooltip: string, severity: StatusView["severity"] = "normal"): StatusView {
  return { text, tooltip, severity };
}

/** Returns the lines of figures at the head of the menu. */
export function describeStatus(status: StatusResult): readonly string[] {
  const lines: string[] = [];
  if (typeof status.model === "string") {
    lines.push(`$(circuit-board) Model ${status.model}${typeof status.revision === "string" ? `, revision ${status.revision.slice(0, 12)}` : ""}`);
  }
  const { p50, p95 } = status.latency ?? {};
  lines.push(
    typeof p50 === "number" && typeof p95 === "number"
      ? `$(dashboard) Latency: half within ${Math.round(p50)} ms, 95 % within ${Math.round(p95)} ms`
      : "$(dashboard) Latency: nothing measured yet",
  );
  if (typeof status.memoryMb === "number") lines.push(`$(server) Memory: ${Math.round(status.memoryMb)} MB`);
  const { files, chunks, pending, unembedded = 0 } = status.index ?? { files: 0, chunks: 0, pending: 0 };
  if (files + chunks + pending > 0) {
    lines.push(`$(database) Index: ${chunks} pieces of code in ${files} files, ${restOf(pending, unembedded)}`);
  }
  return lines;
}

/** What is still to be done; pieces that are not embedded are found by their words alone. */
function restOf(pending: number, unembedded: number): string {
  if (pending > 0) return `${pending} files to go`;
  return unembedded > 0 ? `${unembedded} not yet by meaning` : "up to date";
}
