/** What happened to each key, in order: for whoever asks why it is not as it should be. */
import type { Call } from './calls.ts';
import { fateOf, type Invocation } from './deliveries.ts';

export function tracesOf(invocations: Invocation[], calls: Call[]): Map<string, string[]> {
  const lines = new Map<string, { at: number; text: string }[]>();
  const add = (key: string, at: number, text: string) => {
    const known = lines.get(key);
    if (known === undefined) lines.set(key, [{ at, text }]);
    else known.push({ at, text });
  };
  for (const { number, begun, ended, deliveries } of invocations) {
    for (const delivery of deliveries) {
      const { kind, receiveCount, sources, messageId } = delivery;
      const about = (sequencer: string) =>
        `invocation ${number}: ${kind} ${sequencer}, message ${messageId.slice(0, 8)}, delivery ${receiveCount}`;
      for (const { key, sequencer } of sources) {
        add(key, begun, `${about(sequencer)} begins`);
        if (ended !== null) add(key, ended, `${about(sequencer)}: ${fateOf(delivery)}`);
      }
    }
  }
  for (const { at, key, operation, status, faults } of calls) {
    if (key !== undefined) add(key, at, [`${operation}: ${status ?? 'not answered'}`, ...faults].join(', '));
  }
  const inOrder = (found: { at: number; text: string }[]) =>
    found.sort((a, b) => a.at - b.at).map(({ at, text }) => `${new Date(at).toISOString()} ${text}`);
  return new Map([...lines].map(([key, found]) => [key, inOrder(found)]));
}
