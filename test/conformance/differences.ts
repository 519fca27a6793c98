/** Which expectations a server is known not to share, and why: `differences.yml`. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseDocument } from 'yaml';
import { z } from 'zod';
import type { Outcome } from './run.ts';

const FILE = join(import.meta.dirname, 'differences.yml');

/** A reason is a sentence; the same one may stand for several ids. */
const schema = z.record(
  z.string(),
  z.strictObject({
    name: z.string(),
    home: z.url(),
    version: z.string(),
    seen: z.iso.date(),
    explained: z.array(z.strictObject({ why: z.string().min(20), ids: z.array(z.string()).min(1) })),
  }),
);

export interface Known {
  /** As its makers write it. */
  name: string;
  home: string;
  /** Which the reasons were found with. */
  version: string;
  /** When they were, as a date. */
  seen: string;
  /** Reason by id. */
  reasons: ReadonlyMap<string, string>;
}

/** @throws an error that names what is wrong with the file; `null`: it knows no such server */
export function knownDifferences(server: string, text = readFileSync(FILE, 'utf8')): Known | null {
  const document = parseDocument(text, { uniqueKeys: true });
  if (document.errors.length > 0) throw new Error(`differences.yml: ${document.errors[0]?.message}`);
  const parsed = schema.safeParse(document.toJS());
  if (!parsed.success) throw new Error(`differences.yml: ${z.prettifyError(parsed.error)}`);
  const known = parsed.data[server];
  if (known === undefined) return null;
  const reasons = new Map<string, string>();
  for (const { why, ids } of known.explained) {
    for (const id of ids) {
      if (reasons.has(id)) throw new Error(`differences.yml: ${server} explains ${id} twice`);
      reasons.set(id, why);
    }
  }
  const { name, home, version, seen } = known;
  return { name, home, version, seen, reasons };
}

export interface Verdict {
  shared: number;
  explained: { outcome: Outcome; why: string }[];
  /** Not shared, and nobody has said why. */
  unexplained: Outcome[];
  /** Explained, but shared by now: the explanation must go. */
  vanished: string[];
  /** Explained, but no expectation has this id. */
  unknown: string[];
}

/** @param ran only of these are explanations looked for, so that a run of one service judges that one alone */
export function judge(outcomes: readonly Outcome[], reasons: ReadonlyMap<string, string>, ran: (id: string) => boolean): Verdict {
  const byId = new Map(outcomes.map((outcome) => [outcome.expectation.id, outcome]));
  const verdict: Verdict = { shared: 0, explained: [], unexplained: [], vanished: [], unknown: [] };
  for (const outcome of outcomes) {
    const why = reasons.get(outcome.expectation.id);
    if (outcome.difference === null) verdict.shared += 1;
    else if (why === undefined) verdict.unexplained.push(outcome);
    else verdict.explained.push({ outcome, why });
  }
  for (const id of reasons.keys()) {
    if (!ran(id)) continue;
    const outcome = byId.get(id);
    if (outcome === undefined) verdict.unknown.push(id);
    else if (outcome.difference === null) verdict.vanished.push(id);
  }
  return verdict;
}
