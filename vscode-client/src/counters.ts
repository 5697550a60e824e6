// How often suggestions were offered and taken. Kept on this machine, for the user's own eyes.

export interface Counts {
  /** Suggestions handed to the editor for a request that was still wanted. */
  readonly offered: number;
  readonly accepted: number;
  readonly words: number;
  readonly lines: number;
}

export const NO_COUNTS: Counts = { offered: 0, accepted: 0, words: 0, lines: 0 };

/** The part of `vscode.Memento` that is needed. */
export interface Store {
  get(key: string): unknown;
  update(key: string, value: unknown): Thenable<void>;
}

const KEY = "codet5p.counts";

export class Counters {
  private current: Counts;

  constructor(private readonly store: Store) {
    this.current = { ...NO_COUNTS, ...(store.get(KEY) as Partial<Counts> | undefined) };
  }

  get counts(): Counts {
    return this.current;
  }

  add(what: keyof Counts): void {
    this.set({ ...this.current, [what]: this.current[what] + 1 });
  }

  reset(): void {
    this.set(NO_COUNTS);
  }

  private set(counts: Counts): void {
    this.current = counts;
    void this.store.update(KEY, counts);
  }
}

/** Returns one line for the menu, for example "Taken 12 of 40 suggestions (30 %), 5 words, 2 lines". */
export function describeCounts(counts: Counts): string {
  const { offered, accepted, words, lines } = counts;
  const share = offered === 0 ? "" : ` (${Math.round((100 * accepted) / offered)} %)`;
  return `Taken ${accepted} of ${offered} suggestions${share}, ${words} words, ${lines} lines`;
}
