/** Timing and its summary. */

export interface Figure {
  scenario: string;
  what: string;
  value: number;
  unit: string;
  /** What the value is to be seen against, in the same run. */
  against?: { what: string; value: number; ratio: number };
}

/** Runs `count` calls of `work`, `parallel` at once. @returns seconds in all and each call's milliseconds, sorted */
export async function timed(
  count: number,
  parallel: number,
  work: (index: number) => Promise<unknown>,
): Promise<{ seconds: number; latencies: number[] }> {
  const latencies: number[] = [];
  let next = 0;
  const started = performance.now();
  await Promise.all(
    Array.from({ length: Math.min(parallel, count) }, async () => {
      for (let index = next++; index < count; index = next++) {
        const begun = performance.now();
        await work(index);
        latencies.push(performance.now() - begun);
      }
    }),
  );
  return { seconds: (performance.now() - started) / 1000, latencies: latencies.sort((a, b) => a - b) };
}

/** @param sorted ascending; @param share 0…1 */
export function percentile(sorted: number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

export function median(values: number[]): number {
  return percentile(
    [...values].sort((a, b) => a - b),
    0.5,
  );
}

export function compared(scenario: string, what: string, unit: string, value: number, other: { what: string; value: number }): Figure {
  return { scenario, what, unit, value, against: { ...other, ratio: value / other.value } };
}

/** As a table for people, and as JSON. */
export function showFigures(figures: Figure[]): void {
  console.table(
    figures.map(({ scenario, what, value, unit, against }) => ({
      scenario,
      what,
      value: `${round(value)} ${unit}`,
      ratio: against === undefined ? '' : `${against.ratio.toFixed(2)} ×`,
      against: against === undefined ? '' : `${round(against.value)} ${unit} (${against.what})`,
    })),
  );
  console.log(JSON.stringify({ node: process.version, figures }, null, 2));
}

function round(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toFixed(2);
}
