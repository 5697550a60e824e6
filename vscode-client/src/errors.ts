// Errors that reach the user: one line that says what is wrong, and what to do about it.

/** A button that a message may carry; `label` is what the user sees. */
export interface Remedy {
  readonly label: string;
  readonly command: string;
  readonly args?: readonly unknown[];
}

export const OPEN_SETTINGS: Remedy = {
  label: "Open Settings",
  command: "workbench.action.openSettings",
  args: ["codet5p.server.path"],
};
export const SHOW_LOG: Remedy = { label: "Show Log", command: "codet5p.showLog" };
export const RESTART: Remedy = { label: "Restart", command: "codet5p.restartServer" };

export class UserError extends Error {
  constructor(
    message: string,
    readonly remedies: readonly Remedy[] = [SHOW_LOG],
  ) {
    super(message);
    this.name = "UserError";
  }
}

/** Returns the one line to show for anything that was thrown. */
export function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split("\n", 1)[0]?.trim() ?? message;
}
