/** A bucket's Object Lock: whether it is on, and the retention that new objects get. */
import { z } from 'zod';
import type { XmlMembers } from '../xml.ts';
import { count } from './shapes.ts';

export const objectLockSchema = z.strictObject({
  ObjectLockEnabled: z.literal('Enabled').optional(),
  Rule: z
    .strictObject({
      DefaultRetention: z.strictObject({
        Mode: z.enum(['GOVERNANCE', 'COMPLIANCE']),
        Days: count.pipe(z.int().min(1)).optional(),
        Years: count.pipe(z.int().min(1)).optional(),
      }),
    })
    .optional(),
});
/** @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_ObjectLockConfiguration.html */
export type ObjectLockConfiguration = z.infer<typeof objectLockSchema>;

export function objectLockFromXml(element: unknown): unknown {
  if (typeof element !== 'object' || element === null || !('Rule' in element)) return element;
  const rule = Array.isArray(element.Rule) ? element.Rule[0] : element.Rule;
  return { ...element, Rule: rule };
}

export function objectLockToXml({ ObjectLockEnabled, Rule }: ObjectLockConfiguration): XmlMembers {
  return { ObjectLockEnabled, Rule: Rule && { DefaultRetention: { ...Rule.DefaultRetention } } };
}
