/** Runs invocations at once, one AWS call at a time: which call goes next, and who dies before or after it, is drawn by a seed. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { setImmediate as turn } from 'node:timers/promises';

/** Anything with a middleware stack: a client of the SDK. */
interface Gated {
  middlewareStack: {
    add(
      middleware: (next: (args: never) => Promise<unknown>, context: { commandName?: string }) => (args: never) => Promise<unknown>,
      options: { step: 'initialize'; priority: 'high'; name: string },
    ): void;
  };
}

export interface Invocation {
  name: string;
  mortal: boolean;
  dead: boolean;
}

interface Parked {
  invocation: Invocation;
  what: string;
  resume(): void;
}

export interface Schedule {
  /** Its calls wait for their turn from now on, before they are made and before their answers arrive. */
  gate(client: Gated): void;
  /** The same for a call that no such client makes. */
  call<T>(what: string, work: () => Promise<T>): Promise<T>;
  /** Starts an invocation; it runs as `step` lets it. */
  start(name: string, mortal: boolean, run: () => Promise<void>): Invocation;
  /** How many invocations are under way. */
  running(): number;
  /**
   * Lets one waiting call go on, or kills who makes it. Resolves when everything waits again.
   * @param draw gives a number from 0 to below its argument
   * @returns `null` when nothing waited
   */
  step(draw: (below: number) => number, killOneIn: number): Promise<Invocation | null>;
  /** What happened, in order. */
  trace: string[];
}

/** Turns of the event loop after which whatever follows from an answer without another call has happened. */
const TURNS = 4;

export function createSchedule(): Schedule {
  const current = new AsyncLocalStorage<Invocation>();
  const parked: Parked[] = [];
  const trace: string[] = [];
  let underWay = 0;
  let live = new Set<Invocation>();

  function wait(what: string): Promise<void> {
    const invocation = current.getStore();
    if (invocation === undefined) return Promise.resolve();
    // What a dead one asks for is never answered.
    if (invocation.dead) return new Promise(() => {});
    return new Promise((resume) => void parked.push({ invocation, what, resume }));
  }

  async function call<T>(what: string, work: () => Promise<T>): Promise<T> {
    await wait(`before ${what}`);
    underWay += 1;
    const answer = await work()
      .then(
        (value) => ({ value }),
        (error: unknown) => ({ error }),
      )
      .finally(() => {
        underWay -= 1;
      });
    await wait(`after ${what}`);
    if ('error' in answer) throw answer.error;
    return answer.value;
  }

  async function quiet(): Promise<void> {
    for (let turns = 0; turns < TURNS; turns += 1) {
      await turn();
      if (underWay > 0) turns = -1;
    }
  }

  return {
    trace,
    gate(client) {
      const middleware =
        (next: (args: never) => Promise<unknown>, { commandName = 'a call' }: { commandName?: string }) =>
        (args: never) =>
          call(commandName, () => next(args));
      client.middlewareStack.add(middleware, { step: 'initialize', priority: 'high', name: 'schedule' });
    },
    call,
    start(name, mortal, run) {
      const invocation: Invocation = { name, mortal, dead: false };
      live.add(invocation);
      trace.push(`${name} starts`);
      void current.run(invocation, run).finally(() => {
        live.delete(invocation);
        trace.push(`${name} ends`);
      });
      return invocation;
    },
    running: () => live.size,
    async step(draw, killOneIn) {
      await quiet();
      const at = draw(Math.max(1, parked.length));
      const [next] = parked.splice(at, 1);
      if (next === undefined) return null;
      if (next.invocation.mortal && killOneIn > 0 && draw(killOneIn) === 0) {
        next.invocation.dead = true;
        live = new Set([...live].filter((one) => one !== next.invocation));
        for (const other of parked.filter(({ invocation }) => invocation === next.invocation)) parked.splice(parked.indexOf(other), 1);
        trace.push(`${next.invocation.name} dies ${next.what}`);
      } else {
        trace.push(`${next.invocation.name} ${next.what}`);
        next.resume();
      }
      await quiet();
      return next.invocation;
    },
  };
}
