/** Parsing at the edge. */
import type * as z from 'zod/mini';
import { SealdropError } from '../errors.ts';

/** Parses or throws `malformed-event` with every problem by path, without showing values. */
export function parse<T>(schema: z.ZodMiniType<T>, value: unknown, what: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue) => `${issue.path.map(String).join('.') || 'value'}: ${issue.message}`);
  throw new SealdropError('malformed-event', `${what}: ${problems.join('; ')}`);
}
