/** Pieces that the schemas of bucket configurations share. They take XML text and typed values (from CloudFormation) alike. */
import { z } from 'zod';

export const flag = z.union([z.boolean(), z.enum(['true', 'false']).transform((text) => text === 'true')]);
export const count = z.union([z.number(), z.string().regex(/^\d+$/).transform(Number)]).pipe(z.int().min(0));
export const text = z.union([z.string(), z.strictObject({}).transform(() => '')]);

/** Members of a parsed XML element, or nothing. */
export function members(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}

/** Renames members, e.g. XML's repeated `Rule` to the SDK's `Rules`; leaves out what is absent. */
export function rename(value: unknown, names: Record<string, string>): Record<string, unknown> {
  const renamed: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(members(value))) renamed[names[name] ?? name] = member;
  return renamed;
}

export function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
