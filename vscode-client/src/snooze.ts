// Completion is silent until a point in time.

import type { Clock } from "./supervisor";

export const SNOOZE_MINUTES: readonly number[] = [5, 15, 30, 60];

export class Snooze {
  private end: number | undefined;
  private cancelTimer: () => void = () => undefined;

  constructor(
    private readonly clock: Clock,
    private readonly onChange: () => void,
  ) {}

  /** Milliseconds since the epoch at which it ends; undefined when nothing is snoozed. */
  get until(): number | undefined {
    return this.end !== undefined && this.end > this.clock.now() ? this.end : undefined;
  }

  start(minutes: number): void {
    const lengthMs = minutes * 60_000;
    this.cancelTimer();
    this.end = this.clock.now() + lengthMs;
    this.cancelTimer = this.clock.after(lengthMs, () => {
      this.stop();
    });
    this.onChange();
  }

  stop(): void {
    this.cancelTimer();
    this.end = undefined;
    this.onChange();
  }
}
