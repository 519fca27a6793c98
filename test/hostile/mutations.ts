/** Documents broken in a few places, also inside the JSON texts that they carry. */
import fc from 'fast-check';
import { hostileJson, hostileText } from './arbitraries.ts';

/** A JSON text that stands in a document, opened. */
class Opened {
  readonly content: unknown;
  constructor(content: unknown) {
    this.content = content;
  }
}

type Change = (member: unknown) => { put: unknown } | 'drop';

const changes: fc.Arbitrary<Change> = fc.oneof(
  fc.constant<Change>(() => 'drop'),
  hostileJson.map(
    (value): Change =>
      () => ({ put: value }),
  ),
  hostileText.map(
    (text): Change =>
      () => ({ put: text }),
  ),
  hostileText.map(
    (text): Change =>
      (member) => ({ put: `${typeof member === 'string' ? member : ''}${text}` }),
  ),
  fc.constant<Change>((member) => ({ put: [member] })),
  fc.constant<Change>((member) => ({ put: { Records: [member] } })),
  fc.constant<Change>((member) => ({ put: JSON.stringify(closed(member)) })),
  fc.constant<Change>((member) => ({ put: Array.isArray(member) ? [...member, ...member] : member })),
  fc.constantFrom(10, 40).map(
    (depth): Change =>
      (member) => ({ put: Array.from({ length: depth }).reduce((inner) => ({ Records: [inner] }), member) }),
  ),
  fc.tuple(hostileText, hostileJson).map(
    ([name, value]): Change =>
      (member) => ({ put: isMap(member) ? { ...member, ...Object.fromEntries([[name, value]]) } : member }),
  ),
);

interface Mutation {
  /** Which member, counted over all of the document. */
  at: number;
  change: Change;
}

/** Copies of `document` with none to three of its members dropped, replaced, wrapped or doubled. */
export function mutated(document: unknown): fc.Arbitrary<unknown> {
  const mutation: fc.Arbitrary<Mutation> = fc.record({ at: fc.nat(10_000), change: changes });
  return fc
    .array(mutation, { maxLength: 3 })
    .map((mutations) => closed(mutations.reduce(apply, opened(document))))
    .filter((copy) => copy !== undefined);
}

function apply(document: unknown, { at, change }: Mutation): unknown {
  let left = at % count(document);
  const visit = (value: unknown): { put: unknown } | 'drop' => {
    if (left === 0) {
      left -= 1;
      return change(value);
    }
    left -= 1;
    if (value instanceof Opened) {
      const inner = visit(value.content);
      return { put: inner === 'drop' ? '' : new Opened(inner.put) };
    }
    if (Array.isArray(value)) {
      return { put: value.map(visit).flatMap((member) => (member === 'drop' ? [] : [member.put])) };
    }
    if (!isMap(value)) return { put: value };
    const members = Object.entries(value).map(([name, member]) => [name, visit(member)] as const);
    return { put: Object.fromEntries(members.flatMap(([name, member]) => (member === 'drop' ? [] : [[name, member.put]]))) };
  };
  const whole = visit(document);
  return whole === 'drop' ? null : whole.put;
}

function count(value: unknown): number {
  if (value instanceof Opened) return 1 + count(value.content);
  if (typeof value !== 'object' || value === null) return 1;
  return Object.values(value).reduce((sum: number, member) => sum + count(member), 1);
}

/** With every JSON text in it opened. */
export function opened(value: unknown): unknown {
  if (typeof value === 'string') return openText(value);
  if (Array.isArray(value)) return value.map(opened);
  return isMap(value) ? Object.fromEntries(Object.entries(value).map(([name, member]) => [name, opened(member)])) : value;
}

function openText(text: string): unknown {
  if (!/^\s*[{[]/.test(text)) return text;
  try {
    return new Opened(opened(JSON.parse(text)));
  } catch {
    return text;
  }
}

function closed(value: unknown): unknown {
  if (value instanceof Opened) return JSON.stringify(closed(value.content)) ?? '';
  if (Array.isArray(value)) return value.map(closed);
  return isMap(value) ? Object.fromEntries(Object.entries(value).map(([name, member]) => [name, closed(member)])) : value;
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Opened);
}

/** Whether any of a document's members, also in texts that it carries, is as asked. */
export function somewhere(document: unknown, holds: (name: string, value: unknown) => boolean): boolean {
  const search = (name: string, value: unknown): boolean => {
    if (value instanceof Opened) return search(name, value.content);
    if (holds(name, value)) return true;
    if (typeof value !== 'object' || value === null) return false;
    return Object.entries(value).some(([inner, member]) => search(inner, member));
  };
  return search('', opened(document));
}
