// A clock that tests turn by hand.

import type { Clock } from "../../src/supervisor";

interface Alarm {
  readonly at: number;
  readonly action: () => void;
}

export class ManualClock implements Clock {
  private time = 0;
  private alarms: Alarm[] = [];

  now(): number {
    return this.time;
  }

  after(delayMs: number, action: () => void): () => void {
    const alarm = { at: this.time + delayMs, action };
    this.alarms.push(alarm);
    return () => {
      this.alarms = this.alarms.filter((other) => other !== alarm);
    };
  }

  /** Moves on by `lengthMs` and rings what is due, in order. */
  advance(lengthMs: number): void {
    this.time += lengthMs;
    const due = this.alarms.filter((alarm) => alarm.at <= this.time).sort((left, right) => left.at - right.at);
    this.alarms = this.alarms.filter((alarm) => alarm.at > this.time);
    for (const alarm of due) alarm.action();
  }
}
