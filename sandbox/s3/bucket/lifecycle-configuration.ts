/** A bucket's lifecycle rules. They are kept and given back; nothing runs them. */
import { z } from 'zod';
import type { XmlMembers } from '../xml.ts';
import { count, flag, list, members, rename, text } from './shapes.ts';

const tag = z.strictObject({ Key: z.string(), Value: text });
const sizes = { ObjectSizeGreaterThan: count.optional(), ObjectSizeLessThan: count.optional() };
const filter = z.strictObject({
  Prefix: text.optional(),
  Tag: tag.optional(),
  ...sizes,
  And: z.strictObject({ Prefix: text.optional(), Tags: z.array(tag).optional(), ...sizes }).optional(),
});
const transition = { StorageClass: z.string(), Days: count.optional(), Date: z.string().optional() };
const rule = z.strictObject({
  ID: z.string().max(255).optional(),
  Status: z.enum(['Enabled', 'Disabled']),
  Prefix: text.optional(),
  Filter: filter.optional(),
  Expiration: z
    .strictObject({ Date: z.string().optional(), Days: count.optional(), ExpiredObjectDeleteMarker: flag.optional() })
    .optional(),
  NoncurrentVersionExpiration: z.strictObject({ NoncurrentDays: count.optional(), NewerNoncurrentVersions: count.optional() }).optional(),
  AbortIncompleteMultipartUpload: z.strictObject({ DaysAfterInitiation: count }).optional(),
  Transitions: z.array(z.strictObject(transition)).optional(),
  NoncurrentVersionTransitions: z
    .array(z.strictObject({ StorageClass: z.string(), NoncurrentDays: count.optional(), NewerNoncurrentVersions: count.optional() }))
    .optional(),
});

export const lifecycleSchema = z.strictObject({ Rules: z.array(rule).min(1).max(1000) });
/** @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_LifecycleRule.html */
export type LifecycleConfiguration = z.infer<typeof lifecycleSchema>;

export function lifecycleFromXml(element: unknown): unknown {
  return {
    Rules: list(members(element).Rule).map((each) => {
      const parsed = rename(each, { Transition: 'Transitions', NoncurrentVersionTransition: 'NoncurrentVersionTransitions' });
      if (parsed.Filter !== undefined) parsed.Filter = filterFromXml(parsed.Filter);
      return parsed;
    }),
  };
}

export function lifecycleToXml({ Rules }: LifecycleConfiguration): XmlMembers {
  return {
    Rule: Rules.map(({ Transitions, NoncurrentVersionTransitions, Filter, ...rest }) => ({
      ...rest,
      Filter: Filter && { ...Filter, And: Filter.And && { ...rename(Filter.And, { Tags: 'Tag' }) } },
      Transition: Transitions,
      NoncurrentVersionTransition: NoncurrentVersionTransitions,
    })) as XmlMembers[],
  };
}

function filterFromXml(element: unknown): unknown {
  const { And, Tag, ...rest } = members(element);
  const parsed: Record<string, unknown> = { ...rest };
  if (Tag !== undefined) parsed.Tag = list(Tag)[0];
  if (And !== undefined) parsed.And = rename(And, { Tag: 'Tags' });
  return parsed;
}
