/** What a request for a share link says. Pure. */
import * as z from 'zod/mini';
import { SealdropError } from '../errors.ts';
import { VERSION_ID } from './object-request.ts';
import { possibleKey } from './request.ts';

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-presigned-url.html allows URLs of S3 as long */
const LONGEST_SECONDS = 7 * 24 * 3600;
const SHORTEST_SECONDS = 60;
const DEFAULT_SECONDS = 3600;
const MOST_USES = 1000;

const schema = z.strictObject({
  key: z.string(),
  versionId: z.optional(z.string().check(z.regex(VERSION_ID))),
  expiresInSeconds: z.optional(z.int().check(z.gte(SHORTEST_SECONDS), z.lte(LONGEST_SECONDS))),
  uses: z.optional(z.int().check(z.gte(1), z.lte(MOST_USES))),
});

export interface LinkRequest {
  key: string;
  /** Absent: the current version. */
  versionId?: string | undefined;
  expiresInSeconds: number;
  uses: number;
}

const ALLOWED: Record<keyof typeof schema.shape, string> = {
  key: 'a key',
  versionId: "a version id of S3's",
  expiresInSeconds: `a whole number from ${SHORTEST_SECONDS} to ${LONGEST_SECONDS}`,
  uses: `a whole number from 1 to ${MOST_USES}`,
};

/**
 * @param body JSON, as the gateway hands it on
 * @throws SealdropError `invalid-request` that names every member that is wrong, and what it may be
 */
export function linkRequest(body: string | null | undefined): LinkRequest {
  const parsed = schema.safeParse(parseJson(body ?? ''));
  if (!parsed.success) throw new SealdropError('invalid-request', parsed.error.issues.map(problemOf).join('; '));
  const { key, versionId, expiresInSeconds = DEFAULT_SECONDS, uses = 1 } = parsed.data;
  if (key === '') throw new SealdropError('invalid-request', 'key must be a key');
  return { key: possibleKey('key', key), versionId, expiresInSeconds, uses };
}

function problemOf(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys') return `unknown: ${issue.keys.join(', ')}; known here: ${Object.keys(ALLOWED).join(', ')}`;
  const name = String(issue.path[0] ?? '');
  return Object.hasOwn(ALLOWED, name)
    ? `${name} must be ${ALLOWED[name as keyof typeof ALLOWED]}`
    : 'the body must be a JSON object with a key';
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
