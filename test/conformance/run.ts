/** Runs expectations against one server. */
import pMap from 'p-map';
import { summary } from './difference.ts';
import type { Expectation } from './expectation.ts';
import type { Stage } from './stage.ts';

/** Most expectations wait for the server; each has things of its own. */
const AT_ONCE = 6;
/** No expectation waits this long when the server answers. */
const PATIENCE_MS = 60_000;

export interface Outcome {
  expectation: Expectation;
  /** `null`: as expected. */
  difference: string | null;
}

/** In the order of the expectations. */
export async function runExpectations(expectations: readonly Expectation[], stage: Stage): Promise<Outcome[]> {
  return pMap(expectations, async (expectation) => ({ expectation, difference: await differenceOf(expectation, stage) }), {
    concurrency: AT_ONCE,
  });
}

async function differenceOf(expectation: Expectation, stage: Stage): Promise<string | null> {
  const timer = new AbortController();
  const late = new Promise<string>((resolve) => {
    const timeout = setTimeout(() => resolve(`no end within ${PATIENCE_MS / 1000} s`), PATIENCE_MS);
    timer.signal.addEventListener('abort', () => clearTimeout(timeout));
  });
  const run = expectation.run(stage).then(() => null, summary);
  return Promise.race([run, late]).finally(() => timer.abort());
}
