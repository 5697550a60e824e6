// Keeps one server running: starts are never doubled, crashes are answered with growing pauses and then with a stop.

/** One running server. */
export interface Session {
  stop(): Promise<void>;
}

/** Starts a server; calls `onExit` once if it later ends by itself. */
export type StartSession = (onExit: () => void) => Promise<Session>;

export type SupervisorState =
  | { readonly kind: "starting" }
  | { readonly kind: "running" }
  | { readonly kind: "waiting"; readonly delayMs: number }
  | { readonly kind: "failed"; readonly error: unknown }
  | { readonly kind: "gave-up"; readonly crashes: number }
  | { readonly kind: "stopped" };

export interface CrashPolicy {
  /** Crashes within the window before it gives up. */
  readonly maxCrashes: number;
  readonly windowMs: number;
  /** Pause after the first crash; doubles with each further one. */
  readonly firstDelayMs: number;
}

export const CRASH_POLICY: CrashPolicy = { maxCrashes: 5, windowMs: 180_000, firstDelayMs: 500 };

/** Time, as far as the supervisor needs it. */
export interface Clock {
  now(): number;
  /** Calls `action` after `delayMs`; returns what calls it off. */
  after(delayMs: number, action: () => void): () => void;
}

export class Supervisor {
  private session: Session | undefined;
  private inFlight: Promise<void> | undefined;
  private isStartWanted = false;
  private isStopped = false;
  private generation = 0;
  private crashes: number[] = [];
  private cancelPause: () => void = () => undefined;

  constructor(
    private readonly startSession: StartSession,
    private readonly onState: (state: SupervisorState) => void,
    private readonly clock: Clock,
    private readonly policy: CrashPolicy = CRASH_POLICY,
  ) {}

  /** Starts afresh on the user's wish, with earlier crashes forgotten. */
  restart(): Promise<void> {
    this.crashes = [];
    this.isStopped = false;
    return this.cycle();
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    this.isStartWanted = false;
    this.cancelPause();
    await this.inFlight;
    await this.endSession();
    this.onState({ kind: "stopped" });
  }

  /** Runs one stop-and-start at a time; wishes that come in meanwhile are met by one more round, not one each. */
  private cycle(): Promise<void> {
    this.cancelPause();
    this.isStartWanted = true;
    this.inFlight ??= this.rounds().finally(() => {
      this.inFlight = undefined;
    });
    return this.inFlight;
  }

  private async rounds(): Promise<void> {
    while (this.isStartWanted) {
      this.isStartWanted = false;
      await this.endSession();
      await this.begin();
    }
  }

  private async begin(): Promise<void> {
    const generation = ++this.generation;
    this.onState({ kind: "starting" });
    try {
      this.session = await this.startSession(() => {
        this.onExit(generation);
      });
      if (generation === this.generation) this.onState({ kind: "running" });
    } catch (error) {
      this.session = undefined;
      if (generation === this.generation) this.onState({ kind: "failed", error });
    }
  }

  private async endSession(): Promise<void> {
    const session = this.session;
    this.session = undefined;
    this.generation++;
    await session?.stop();
  }

  private onExit(generation: number): void {
    if (generation !== this.generation || this.isStopped) return;
    this.generation++;
    this.session = undefined;
    const now = this.clock.now();
    this.crashes = [...this.crashes.filter((time) => now - time < this.policy.windowMs), now];
    if (this.crashes.length >= this.policy.maxCrashes) {
      this.onState({ kind: "gave-up", crashes: this.crashes.length });
      return;
    }
    const delayMs = this.policy.firstDelayMs * 2 ** (this.crashes.length - 1);
    this.onState({ kind: "waiting", delayMs });
    this.cancelPause = this.clock.after(delayMs, () => void this.cycle());
  }
}
