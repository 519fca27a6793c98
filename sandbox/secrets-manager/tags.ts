/** Tags of secrets. */
import { z } from 'zod';
import type { Secret } from './secret-store.ts';

export const tags = z.array(z.strictObject({ Key: z.string().min(1).max(128), Value: z.string().max(256) })).max(50);
type Tag = z.output<typeof tags>[number];

export function tagsOf(secret: Secret): Tag[] {
  return tags.parse(JSON.parse(secret.tags));
}

export function mergeTags(old: Tag[], added: Tag[]): Tag[] {
  const values = new Map([...old, ...added].map(({ Key, Value }) => [Key, Value]));
  return Array.from(values, ([Key, Value]) => ({ Key, Value }));
}
