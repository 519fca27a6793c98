/** Checks a resource's properties against what its definition knows, and says what differs from last time. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Definition } from './definition.ts';
import { DeploymentError } from './deployment-error.ts';

/** @throws DeploymentError naming the resource, every property that is wrong, and what is known in its place */
export function checkProperties(logicalId: string, type: string, definition: Definition, properties: unknown): void {
  const parsed = definition.schema.safeParse(properties);
  if (parsed.success) return;
  const problems = parsed.error.issues.flatMap((issue) => describeIssue(definition.schema, issue));
  throw new DeploymentError(`${logicalId} (${type}):\n  ${problems.join('\n  ')}`);
}

/** A hash for each property. */
export function fingerprint(properties: Record<string, unknown>): Record<string, string> {
  const hashes = Object.entries(properties).map(
    ([name, value]) =>
      [
        name,
        createHash('sha256')
          .update(JSON.stringify(value) ?? '')
          .digest('base64'),
      ] as const,
  );
  return Object.fromEntries(hashes);
}

/** Names of properties that were added, removed or changed. */
export function difference(before: Record<string, string>, after: Record<string, string>): Set<string> {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return new Set([...names].filter((name) => before[name] !== after[name]));
}

function describeIssue(schema: z.ZodType, issue: z.core.$ZodIssue): string[] {
  const place = issue.path.join('.');
  if (issue.code !== 'unrecognized_keys') return [`${place || 'properties'}: ${issue.message}`];
  const known = propertiesAt(schema, issue.path);
  return issue.keys.map(
    (key) => `the sandbox does not know the property ${[...issue.path, key].join('.')}. It knows here: ${known.join(', ')}.`,
  );
}

function propertiesAt(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  const inner = unwrap(schema);
  const [first, ...rest] = path;
  if (inner instanceof z.ZodObject) {
    if (first === undefined) return Object.keys(inner.shape);
    const member: unknown = inner.shape[String(first)];
    return member instanceof z.ZodType ? propertiesAt(member, rest) : [];
  }
  if (inner instanceof z.ZodArray && inner.element instanceof z.ZodType) return propertiesAt(inner.element, rest);
  return [];
}

function unwrap(schema: z.ZodType): z.ZodType {
  let inner: unknown = schema;
  while (inner instanceof z.ZodOptional || inner instanceof z.ZodDefault || inner instanceof z.ZodNullable) inner = inner.unwrap();
  return inner instanceof z.ZodType ? inner : schema;
}
