/** What policy.yml beside this file asks for, said once more: the checker believes neither the policy's loader nor its matcher. */
import type { StackClients } from '../../local/clients.ts';
import { ACCOUNT_ID, REGION } from '../../sandbox/account.ts';

/** Keys with ids that policy.yml can name. */
export const FLAKY_KEY_ID = '00000000-0000-4000-8000-000000000001';
export const LOST_KEY_ID = '00000000-0000-4000-8000-000000000002';
/** The checker opens messages itself, which the stack's own key lets nobody do but its functions. */
export const SEALING_KEY_ID = '00000000-0000-4000-8000-000000000003';

export const keyArn = (id: string): string => `arn:aws:kms:${REGION}:${ACCOUNT_ID}:key/${id}`;

/** Where a key of the plan lies; `''`: under the default rule. */
export const FOLDERS = [
  'public/',
  'managed/',
  'bucket-key/',
  'legal/',
  'cards/',
  'sealed/',
  'wrapped/',
  'flaky/',
  'lost/',
  'typed/',
  'tagged/',
  '',
] as const;
export type Folder = (typeof FOLDERS)[number];

/** How S3 must describe an object. */
export interface StoredAs {
  /** As policies and records name it. */
  mode: 'sse-s3' | 'sse-kms' | 'dsse-kms' | 'sse-c' | 'cse-kms' | 'cse-aes';
  /** `managed`: aws/s3, whose ARN only S3 tells. */
  keyArn?: string | 'managed';
  bucketKey?: boolean;
}

/** What of an object the rules look at. */
export interface Facts {
  contentType?: string;
  tags: Record<string, string>;
}

export function storedAs(folder: Folder, { contentType, tags }: Facts, { kmsKeyArn }: Pick<StackClients, 'kmsKeyArn'>): StoredAs {
  const byDefault: StoredAs = { mode: 'sse-kms', keyArn: kmsKeyArn, bucketKey: false };
  switch (folder) {
    case 'public/':
      return { mode: 'sse-s3' };
    case 'managed/':
      return { mode: 'sse-kms', keyArn: 'managed', bucketKey: false };
    case 'bucket-key/':
      return { mode: 'sse-kms', keyArn: kmsKeyArn, bucketKey: true };
    case 'legal/':
      return { mode: 'dsse-kms', keyArn: kmsKeyArn };
    case 'cards/':
      return { mode: 'sse-c' };
    // As S3 stores the message.
    case 'sealed/':
      return { mode: 'cse-kms', keyArn: kmsKeyArn, bucketKey: true };
    case 'wrapped/':
      return { mode: 'cse-aes', keyArn: kmsKeyArn, bucketKey: true };
    case 'flaky/':
      return { mode: 'sse-kms', keyArn: keyArn(FLAKY_KEY_ID), bucketKey: false };
    case 'lost/':
      return { mode: 'sse-kms', keyArn: keyArn(LOST_KEY_ID), bucketKey: false };
    case 'typed/':
      return contentType === 'application/pdf' ? { mode: 'dsse-kms', keyArn: kmsKeyArn } : byDefault;
    case 'tagged/':
      return tags.class === 'secret' ? { mode: 'sse-c' } : byDefault;
    case '':
      return byDefault;
    default:
      return folder satisfies never;
  }
}
