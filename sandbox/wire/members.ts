/** Schemas of members that several JSON services share. */
import { z } from 'zod';

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/** A blob: base64 on the wire, bytes inside; lengths in bytes. */
export function blob({ min = 0, max }: { min?: number; max: number }) {
  return z
    .string()
    .regex(BASE64)
    .transform((text) => Buffer.from(text, 'base64'))
    .refine((bytes) => bytes.length >= min, `Member must have length greater than or equal to ${min}`)
    .refine((bytes) => bytes.length <= max, `Member must have length less than or equal to ${max}`);
}

/** A map from text to text without surprises in its keys (`__proto__` is a key like any other). */
export const stringMap = z.record(z.string(), z.string());
