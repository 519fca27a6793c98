/** Parsing at the edge. */
import * as z from 'zod/mini';
import { SealdropError } from '../errors.ts';

/** Hexadecimal; records sort by it, padded to 64 digits. Those that S3 sends have 18. */
export const SEQUENCER = /^[0-9A-Fa-f]{1,64}$/;

/** Names that are stored as they come; tables and queues take UTF-8, which has no lone surrogates. */
export const shortText = z.string().check(
  z.maxLength(1024),
  z.refine((text) => text.isWellFormed(), 'not valid Unicode'),
);

/** An ARN would send look-ups elsewhere. The longest names are of 2018 and before: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html */
export const bucketName = z.string().check(z.regex(/^[A-Za-z0-9._-]{3,255}$/));

/** It becomes a header. Opaque, with or without quotes; those that S3 sends are hexadecimal, with a number of parts at most. */
export const etagText = z.string().check(z.regex(/^("[\x21\x23-\x7e]{1,254}"|[\x21\x23-\x7e]{1,254})$/));

/** "URL-ready, opaque strings", at most 1,024 bytes: https://docs.aws.amazon.com/AmazonS3/latest/userguide/versioning-workflows.html */
export const versionIdText = z.string().check(z.regex(/^[\x21-\x7e]{0,1024}$/));

/** S3's id of a request, which is part of sort keys; those that it sends have 16 characters. Empty: there is none. */
export const requestIdText = z.string().check(z.regex(/^[\x21-\x7e]{0,256}$/));

/** Parses or throws `malformed-event` with every problem by path, without showing values. */
export function parse<T>(schema: z.ZodMiniType<T>, value: unknown, what: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue) => `${issue.path.map(String).join('.') || 'value'}: ${issue.message}`);
  throw new SealdropError('malformed-event', `${what}: ${problems.join('; ')}`);
}
