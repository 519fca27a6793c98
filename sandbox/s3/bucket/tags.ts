/** Tags of buckets and objects. */
import { z } from 'zod';
import { AwsError } from '../../aws-error.ts';
import { invalidArgument } from '../errors.ts';
import { text } from './shapes.ts';

const MAX_KEY_LENGTH = 128;
const MAX_VALUE_LENGTH = 256;
/** @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html */
const ALLOWED = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;

const tag = z.strictObject({ Key: text, Value: text });
export const tagSetSchema = z.strictObject({ TagSet: z.array(tag) });
export type Tag = z.infer<typeof tag>;

/** Throws AwsError for what S3 does not take as tags. */
export function checkTags(tags: Tag[], max: number): void {
  if (tags.length > max) {
    const what = max === 10 ? 'Object tags cannot be greater than 10' : `Tag count cannot be greater than ${max}`;
    throw new AwsError(400, 'BadRequest', what);
  }
  const seen = new Set<string>();
  for (const { Key, Value } of tags) {
    if (Key.length === 0 || Key.length > MAX_KEY_LENGTH || !ALLOWED.test(Key)) {
      throw new AwsError(400, 'InvalidTag', 'The TagKey you have provided is invalid', { TagKey: Key });
    }
    if (Value.length > MAX_VALUE_LENGTH || !ALLOWED.test(Value)) {
      throw new AwsError(400, 'InvalidTag', 'The TagValue you have provided is invalid', { TagKey: Key, TagValue: Value });
    }
    if (Key.startsWith('aws:')) throw new AwsError(400, 'InvalidTag', 'System tags cannot be added/updated by requester', { TagKey: Key });
    if (seen.has(Key)) throw new AwsError(400, 'InvalidTag', 'Cannot provide multiple Tags with the same key', { TagKey: Key });
    seen.add(Key);
  }
}

/** Reads `x-amz-tagging`. Throws AwsError when it is not query parameters without duplicates, or not allowed as tags. */
export function parseTaggingHeader(header: string, max: number): Tag[] {
  const tags = [...new URLSearchParams(header)].map(([Key, Value]) => ({ Key, Value }));
  const names = new Set(tags.map(({ Key }) => Key));
  if (names.size !== tags.length || (header !== '' && !/^[^,]*$/.test(header))) {
    const message =
      "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.";
    throw invalidArgument(message, 'x-amz-tagging', header);
  }
  checkTags(tags, max);
  return tags;
}
