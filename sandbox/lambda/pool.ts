/** The execution environments of one function: reused while warm, grown on demand up to a limit, ended when idle. */
import type { Environment, Invocation, Outcome } from './environment.ts';

/** How long an idle environment stays warm. */
const IDLE_MS = 5 * 60_000;

const STOPPED: Outcome = { kind: 'failed', failure: { errorType: 'Runtime.ExitError', errorMessage: 'The sandbox is stopping' } };

export interface PoolOptions {
  /** Most environments at once; further invocations wait for their turn. */
  limit: number;
  idleMs?: number;
}

export interface Pool {
  /** Runs an invocation in a free environment, a new one, or the next one to be free. Never rejects. */
  run(invocation: Invocation): Promise<Outcome>;
  /** Environments that live now. */
  size(): number;
  /** Ends idle environments now and busy ones after their invocation. */
  retire(): void;
  /** Ends all environments, also those in the middle of an invocation. */
  stop(): Promise<void>;
}

/** @param start starts one more environment */
export function createPool(start: () => Environment, { limit, idleMs = IDLE_MS }: PoolOptions): Pool {
  const all = new Set<Environment>();
  /** Used last, first out: the rest get old enough to be ended. */
  const idle: { environment: Environment; timer: NodeJS.Timeout }[] = [];
  const waiting: (() => void)[] = [];
  const ending = new Set<Promise<void>>();
  let retired = false;
  let stopped = false;

  return {
    async run(invocation) {
      const environment = await acquire();
      if (environment === null) return STOPPED;
      const outcome = await environment.run(invocation);
      release(environment);
      return outcome;
    },
    size: () => all.size,
    retire() {
      retired = true;
      for (const { environment, timer } of idle.splice(0)) {
        clearTimeout(timer);
        end(environment);
      }
    },
    async stop() {
      stopped = true;
      this.retire();
      for (const resume of waiting.splice(0)) resume();
      for (const environment of all) end(environment);
      await Promise.all(ending);
    },
  };

  async function acquire(): Promise<Environment | null> {
    while (!stopped) {
      const free = takeIdle();
      if (free !== null) return free;
      if (all.size < limit) {
        const environment = start();
        all.add(environment);
        return environment;
      }
      await new Promise<void>((resolve) => waiting.push(resolve));
    }
    return null;
  }

  function takeIdle(): Environment | null {
    for (let slot = idle.pop(); slot !== undefined; slot = idle.pop()) {
      clearTimeout(slot.timer);
      if (slot.environment.alive()) return slot.environment;
      end(slot.environment);
    }
    return null;
  }

  function release(environment: Environment): void {
    if (retired || !environment.alive()) end(environment);
    else idle.push({ environment, timer: setTimeout(endIdle, idleMs, environment).unref() });
    waiting.shift()?.();
  }

  function endIdle(environment: Environment): void {
    const index = idle.findIndex((slot) => slot.environment === environment);
    if (index >= 0) idle.splice(index, 1);
    end(environment);
  }

  function end(environment: Environment): void {
    all.delete(environment);
    const ended: Promise<void> = environment.stop().finally(() => ending.delete(ended));
    ending.add(ended);
  }
}
