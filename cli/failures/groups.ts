/** Dead letters by their code; what is kept of a group does not grow with it. */
import type { DeadLetter, LetterObject } from '../dead-letters/letter.ts';

const MAX_KEYS = 5;
const MAX_CAUSES = 3;
/** Causes hold a service's own words, which may be long. */
const MAX_CAUSE_LENGTH = 1000;

export interface Group {
  code: string;
  /** Without doubles. */
  count: number;
  /** Milliseconds. */
  oldestMs: number;
  newestMs: number;
  /** A few. */
  objects: LetterObject[];
  /** The first few that differ. */
  causes: string[];
  nextStep: string;
}

export interface Groups {
  add(letter: DeadLetter): void;
  /** The most frequent first; of equal ones that with the newest letter. */
  list(): Group[];
  /** Letters about a state that another letter is about too. */
  doubles(): number;
}

export function createGroups(): Groups {
  const groups = new Map<string, Group>();
  const known = new Map<string, { code: string; sentMs: number }>();
  let doubles = 0;

  function count({ code, cause, nextStep, sentMs, objects }: DeadLetter): void {
    const group = groups.get(code) ?? { code, count: 0, oldestMs: sentMs, newestMs: sentMs, objects: [], causes: [], nextStep };
    groups.set(code, group);
    group.count += 1;
    group.oldestMs = Math.min(group.oldestMs, sentMs);
    group.newestMs = Math.max(group.newestMs, sentMs);
    group.objects.push(...objects.slice(0, MAX_KEYS - group.objects.length));
    const short = cause.slice(0, MAX_CAUSE_LENGTH);
    if (group.causes.length < MAX_CAUSES && !group.causes.includes(short)) group.causes.push(short);
  }

  function discount(code: string, { objects }: DeadLetter): void {
    const group = groups.get(code);
    if (group === undefined) return;
    group.count -= 1;
    group.objects = group.objects.filter(({ bucket, key }) => !objects.some((object) => object.bucket === bucket && object.key === key));
    if (group.count === 0) groups.delete(code);
  }

  return {
    add(letter) {
      const { code, sentMs } = letter;
      const other = known.get(letter.identity);
      if (other !== undefined) doubles += 1;
      // Of doubles the last says what is to be done now.
      if (other !== undefined && (other.sentMs >= sentMs || other.code === code)) return;
      if (other !== undefined) discount(other.code, letter);
      known.set(letter.identity, { code, sentMs });
      count(letter);
    },
    list: () => [...groups.values()].sort((a, b) => b.count - a.count || b.newestMs - a.newestMs),
    doubles: () => doubles,
  };
}
