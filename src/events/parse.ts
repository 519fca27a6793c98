/** Parsing at the edge. */
import * as z from 'zod/mini';
import { SealdropError } from '../errors.ts';

/** Hexadecimal; records sort by it, padded to 64 digits. Those that S3 sends have 18. */
export const SEQUENCER = /^[0-9A-Fa-f]{1,64}$/;

/** Names and ids that are stored as they come. */
export const shortText = z.string().check(z.maxLength(1024));

/** Parses or throws `malformed-event` with every problem by path, without showing values. */
export function parse<T>(schema: z.ZodMiniType<T>, value: unknown, what: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue) => `${issue.path.map(String).join('.') || 'value'}: ${issue.message}`);
  throw new SealdropError('malformed-event', `${what}: ${problems.join('; ')}`);
}
