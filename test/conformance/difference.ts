/** What a server did, held against what AWS says. */
import { isDeepStrictEqual } from 'node:util';

export class Difference extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'Difference';
  }
}

/** @throws Difference unless both are deeply equal */
export function same(what: string, actual: unknown, expected: unknown): void {
  if (!isDeepStrictEqual(actual, expected)) throw new Difference(`${what} is ${shown(actual)}, not ${shown(expected)}`);
}

/** Like `same`, of the named members alone; `undefined` means absent. */
export function has(what: string, actual: object, expected: Record<string, unknown>): void {
  for (const [name, value] of Object.entries(expected)) same(`${what}'s ${name}`, Reflect.get(actual, name), value);
}

/** @throws Difference unless `actual` is text of that form */
export function matches(what: string, actual: unknown, form: RegExp): void {
  if (typeof actual !== 'string' || !form.test(actual)) throw new Difference(`${what} is ${shown(actual)}, not like ${form}`);
}

export function holds(what: string, condition: boolean): void {
  if (!condition) throw new Difference(`not so: ${what}`);
}

/**
 * Waits for a call to be refused. HEAD has no error document, so that it is told by its status alone.
 * @param answer `403 AccessDenied`, several when AWS documents more than one, or `403`
 * @throws Difference when it succeeds or is refused otherwise; whatever is not an answer of the service
 */
export async function refused(call: Promise<unknown>, ...answers: [string, ...string[]]): Promise<Error> {
  let error: unknown;
  try {
    await call;
  } catch (caught) {
    error = caught;
  }
  if (error === undefined) throw new Difference(`done, not refused with ${answers.join(' or ')}`);
  const status = statusOf(error);
  if (!(error instanceof Error) || status === undefined) throw error;
  const answer = `${status} ${error.name}`;
  if (answers.includes(answer) || answers.includes(String(status))) return error;
  throw new Difference(`refused with ${answer} (${firstLine(error.message)}), not ${answers.join(' or ')}`);
}

/** One line for a table: never a stack, never more than a screen's width or two. */
export function summary(error: unknown): string {
  if (error instanceof Difference) return firstLine(error.message);
  if (!(error instanceof Error)) return shown(error);
  const status = statusOf(error);
  return firstLine(`${status === undefined ? '' : `${status} `}${error.name}: ${error.message}`);
}

function statusOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('$metadata' in error)) return undefined;
  const metadata = error.$metadata;
  if (typeof metadata !== 'object' || metadata === null || !('httpStatusCode' in metadata)) return undefined;
  return typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : undefined;
}

const MOST_CHARACTERS = 240;

function firstLine(text: string): string {
  const line = text.split('\n', 1)[0] ?? '';
  return line.length > MOST_CHARACTERS ? `${line.slice(0, MOST_CHARACTERS)}…` : line;
}

function shown(value: unknown): string {
  if (value === undefined) return 'absent';
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  return (JSON.stringify(value) ?? String(value)).replaceAll(/[\p{C}\ufffd]|\\u00[01][0-9a-f]/gu, '�');
}
