/** Everything that is known of one key, side by side: what was dropped, what was delivered, what is recorded, stored and dead. */
import type { Delivery, Invocation } from './deliveries.ts';
import type { Ledger, WrittenState } from './drop.ts';
import type { DeadLetter, EventItem, Evidence, RecordItem, TargetVersion } from './evidence.ts';
import type { Held } from './held-object.ts';
import type { PlannedKey } from './plan.ts';

export interface StateFate {
  written: WrittenState;
  removed: boolean;
  /** `null`: no event of it was ever delivered. */
  sequencer: string | null;
  /** In the order of time. */
  deliveries: Delivery[];
  /** Oldest first. */
  records: RecordItem[];
  /** Of its encryption. */
  encrypted: EventItem[];
  failed: EventItem[];
  deadLetters: DeadLetter[];
}

export interface KeyFate {
  planned: PlannedKey;
  /** In the order in which S3 took them; what no event told of is last. */
  states: StateFate[];
  /** The newest record of the newest source that has one. */
  newest: { record: RecordItem; state: StateFate } | null;
  current: TargetVersion | null;
  held: Held | null;
}

export function joinFates(keys: PlannedKey[], ledger: Ledger, invocations: Invocation[], evidence: Evidence): KeyFate[] {
  const written = Map.groupBy(ledger.written, ({ key }) => key);
  const deliveries = deliveriesByVersion(invocations);
  const records = Map.groupBy(evidence.records, ({ key, source }) => id(key, source.sequencer));
  const events = Map.groupBy(evidence.events, ({ key, uniqueId }) => id(key, uniqueId));
  const letters = lettersBySource(evidence.deadLetters);
  const current = new Map(evidence.versions.flatMap((version) => (version.latest ? [[version.key, version]] : [])));

  return keys.map((planned) => {
    const states = (written.get(planned.key) ?? []).map((state): StateFate => {
      const mine = deliveries.get(state.versionId) ?? [];
      const sequencer = mine[0]?.sources.find(({ versionId }) => versionId === state.versionId)?.sequencer ?? null;
      const source = sequencer === null ? null : id(planned.key, sequencer);
      const of = <Item>(found: Map<string, Item[]>) => (source === null ? [] : (found.get(source) ?? []));
      return {
        written: state,
        removed: ledger.removed.has(state.versionId),
        sequencer,
        deliveries: mine,
        records: of(records).sort((a, b) => order(a.encryptedAt, b.encryptedAt)),
        encrypted: of(events).filter(({ action }) => action === 'ObjectEncrypted'),
        failed: of(events).filter(({ action }) => action === 'EncryptionFailed'),
        deadLetters: of(letters),
      };
    });
    states.sort((a, b) => order(a.sequencer ?? '~', b.sequencer ?? '~'));
    const recorded = states.findLast(({ records: own }) => own.length > 0);
    const record = recorded?.records.at(-1);
    return {
      planned,
      states,
      newest: recorded === undefined || record === undefined ? null : { record, state: recorded },
      current: current.get(planned.key) ?? null,
      held: evidence.held.get(planned.key) ?? null,
    };
  });
}

function deliveriesByVersion(invocations: Invocation[]): Map<string, Delivery[]> {
  const found = new Map<string, Delivery[]>();
  for (const delivery of invocations.flatMap((invocation) => invocation.deliveries)) {
    for (const { versionId } of delivery.sources) push(found, versionId, delivery);
  }
  return found;
}

function lettersBySource(letters: DeadLetter[]): Map<string, DeadLetter[]> {
  const found = new Map<string, DeadLetter[]>();
  for (const letter of letters) {
    for (const { key, sequencer } of letter.sources) push(found, id(key, sequencer), letter);
  }
  return found;
}

function push<Item>(into: Map<string, Item[]>, at: string, item: Item): void {
  const items = into.get(at);
  if (items === undefined) into.set(at, [item]);
  else items.push(item);
}

function id(key: string, sequencer: string): string {
  return JSON.stringify([key, sequencer.toUpperCase().padStart(64, '0')]);
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
