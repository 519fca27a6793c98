/** Conditional requests: https://www.rfc-editor.org/rfc/rfc9110#section-13. Pure. */

/** What a state of an object is told from another by. */
export interface Validators {
  /** With quotes, strong. */
  etag?: string | undefined;
  lastModified?: Date | undefined;
}

/** The headers as they came. */
export interface Conditions {
  ifMatch?: string | undefined;
  ifNoneMatch?: string | undefined;
  ifModifiedSince?: string | undefined;
  ifUnmodifiedSince?: string | undefined;
  ifRange?: string | undefined;
}

export type Verdict = 'proceed' | 'not-modified' | 'precondition-failed';

/**
 * For GET and HEAD of an object that exists. Dates that are none count as absent.
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-13.2.2
 */
export function judgeConditions(conditions: Conditions, validators: Validators): Verdict {
  const { ifMatch, ifNoneMatch, ifModifiedSince, ifUnmodifiedSince } = conditions;
  const { etag, lastModified } = validators;
  if (ifMatch !== undefined) {
    if (!names(ifMatch, etag, 'strong')) return 'precondition-failed';
  } else if (isLater(lastModified, ifUnmodifiedSince)) return 'precondition-failed';
  if (ifNoneMatch !== undefined) return names(ifNoneMatch, etag, 'weak') ? 'not-modified' : 'proceed';
  return isLater(lastModified, ifModifiedSince) === false ? 'not-modified' : 'proceed';
}

/**
 * Whether a range is a part of the state that the caller has the rest of; otherwise it gets the whole. A date never says so: two states of one
 * second have the same, and S3 does not tell whether there were two.
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-13.1.5 and section 8.8.2.2
 */
export function rangeHolds(ifRange: string | undefined, { etag }: Validators): boolean {
  return ifRange === undefined || (etag !== undefined && ifRange === etag);
}

const ENTITY_TAGS = /(W\/)?("[\x21\x23-\x7e\x80-\xff]*")/g;

/** @see https://www.rfc-editor.org/rfc/rfc9110#section-8.8.3.2 */
function names(list: string, etag: string | undefined, comparison: 'strong' | 'weak'): boolean {
  if (list.trim() === '*') return true;
  for (const [, weak, tag] of list.matchAll(ENTITY_TAGS)) {
    if (tag === etag && (comparison === 'weak' || weak === undefined)) return true;
  }
  return false;
}

/** @returns `null`: one of the two is not known */
function isLater(lastModified: Date | undefined, header: string | undefined): boolean | null {
  const [stored, asked] = [seconds(lastModified), seconds(parseDate(header))];
  return stored === null || asked === null ? null : stored > asked;
}

/** The three forms that recipients must take: https://www.rfc-editor.org/rfc/rfc9110#section-5.6.7 */
const HTTP_DATES = [
  /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/,
  /^[A-Z][a-z]+day, \d{2}-[A-Z][a-z]{2}-\d{2} \d{2}:\d{2}:\d{2} GMT$/,
  /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4}$/,
];

function parseDate(header: string | undefined): Date | undefined {
  if (header === undefined || !HTTP_DATES.some((form) => form.test(header))) return undefined;
  // The third form names no time zone, and means UTC.
  const date = new Date(header.endsWith('GMT') ? header : `${header} GMT`);
  return Number.isNaN(date.getTime()) ? undefined : date;
}

/** HTTP dates have no fractions. */
function seconds(date: Date | undefined): number | null {
  return date === undefined ? null : Math.floor(date.getTime() / 1000);
}
