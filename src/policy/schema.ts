/** The shape of `policy.yml`, version 1. Strict: an unknown word is an error. */
import { z } from 'zod';
import { keyProblem, MAX_KEY_BYTES } from '../events/object-key.ts';
import { PRINCIPAL_ARN } from './principal.ts';

/** Tags an S3 object can have: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html */
const MAX_TAGS = 10;

/** Unknown words are errors that name the known ones. */
const strict = <Shape extends z.ZodRawShape>(shape: Shape) =>
  z.strictObject(shape, {
    error: (issue) => (issue.code === 'unrecognized_keys' ? Object.keys(shape).join(', ') : undefined),
  });

const KEY_ARN = /^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/[A-Za-z0-9-]+$/;

/** Full key ARNs only: an alias would resolve in the requester's account, not in the bucket owner's. */
const KEY_FORM = 'a full KMS key ARN (arn:aws:kms:REGION:ACCOUNT:key/ID) rather than an alias or a bare id';

const kmsKey = z.string().refine((key) => key === 'aws/s3' || KEY_ARN.test(key), `aws/s3, or ${KEY_FORM}`);

/** The encrypt function asks KMS itself, which aws/s3 lets nobody do but S3: https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#aws-managed-key */
const ownKey = z.string().regex(KEY_ARN, KEY_FORM);

/** Larger objects are refused before a byte of them is read: they must pass through one function within its time. docs/decisions/client-side-encryption.md */
const upToMiB = z.int().positive().max(4096, 'at most 4096, which is 4 GiB').default(1024);

export const encryptionSchema = z.discriminatedUnion('mode', [
  strict({ mode: z.literal('sse-s3') }),
  strict({ mode: z.literal('sse-kms'), key: kmsKey.optional(), bucketKey: z.boolean().default(false) }),
  strict({ mode: z.literal('dsse-kms'), key: kmsKey.optional() }),
  strict({ mode: z.literal('sse-c') }),
  // reuseDataKey: one data key for many objects, so that KMS is asked less.
  strict({ mode: z.literal('cse-kms'), key: ownKey.optional(), reuseDataKey: z.boolean().default(false), upToMiB }),
  strict({ mode: z.literal('cse-aes'), upToMiB }),
]);

const size = strict({
  atLeast: z.int().nonnegative().optional(),
  below: z.int().positive().optional(),
}).refine(
  ({ atLeast, below }) => (atLeast ?? 0) < (below ?? Number.POSITIVE_INFINITY) && (atLeast ?? below) !== undefined,
  'at least one of atLeast, below; atLeast must be smaller than below',
);

/** What no key begins or ends with would be a rule that never holds. */
const prefix = z
  .string()
  .refine(
    (text) => keyProblem(text) === null,
    `what a key can begin with: Unicode, at most ${MAX_KEY_BYTES} bytes, not out of the bucket by ".."`,
  );
const suffix = z
  .string()
  .refine((text) => text.isWellFormed() && Buffer.byteLength(text) <= MAX_KEY_BYTES, `Unicode of at most ${MAX_KEY_BYTES} bytes`);

const matchSchema = strict({
  prefix: prefix.min(1).optional(),
  suffix: suffix.min(1).optional(),
  size: size.optional(),
  contentType: z
    .string()
    .regex(/^[a-z0-9!#$&^_.+-]+\/([a-z0-9!#$&^_.+-]+|\*)$/, 'a lower-case media type such as `application/pdf` or `image/*`')
    .optional(),
  tags: z
    .record(z.string().min(1).max(128), z.string().max(256))
    .refine((tags) => Object.keys(tags).length >= 1 && Object.keys(tags).length <= MAX_TAGS, `1 to ${MAX_TAGS} tags`)
    .optional(),
}).refine((match) => Object.keys(match).length > 0, 'at least one of prefix, suffix, size, contentType, tags');

const accessSchema = strict({
  // Who brings a token, by a claim of it; or who signs with IAM credentials, by role or user.
  who: z.union(
    [
      strict({ claim: z.string().min(1), has: z.string().min(1) }),
      strict({
        principal: z.string().regex(PRINCIPAL_ARN, 'the ARN of one IAM role or user, as principal: arn:aws:iam::ACCOUNT:role/NAME'),
      }),
    ],
    {
      error: 'claim and has, of a token; or principal, the ARN of an IAM role or user',
    },
  ),
  may: z.array(z.enum(['read', 'list', 'history', 'share'])).min(1, 'at least one of read, list, history, share'),
  under: z.array(prefix).min(1, "at least one prefix ('' for every key)"),
});

/** How the API gives objects out; the first entry under whose prefixes a key lies counts. */
const downloadSchema = strict({
  under: z.array(prefix).min(1, "at least one prefix ('' for every key)"),
  // Large objects by a URL of S3's, for minutes, under which whoever has it reads that one version.
  redirect: z.boolean().default(true),
  // Large objects that S3 cannot decrypt by itself, by a copy under the stack's KMS key that is deleted soon after.
  transit: z.boolean().default(false),
}).refine(({ redirect, transit }) => redirect || !transit, 'transit only with redirect: a copy in transit is read by a URL of S3');

/** Classes whose objects can be read at once; CopyObject gives STANDARD unless told: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html */
const storageClass = z.enum(['STANDARD', 'STANDARD_IA', 'ONEZONE_IA', 'INTELLIGENT_TIERING', 'GLACIER_IR', 'keep']);

/** What sources are encrypted by before they are dropped, and are to be decrypted from first. */
const decrypt = z.literal('s3-encryption-client').optional();

/** What opens sources of the Amazon S3 Encryption Client. */
const s3EncryptionClientSchema = strict({
  // The KMS keys that they may be under.
  keys: z.array(ownKey).default([]),
  // V1, AES-CBC and the older ways to wrap keys: nothing binds these to how the content says it is encrypted.
  legacy: z.boolean().default(false),
  upToMiB,
});

export const policySchema = strict({
  version: z.literal(1),
  rules: z.array(strict({ match: matchSchema, decrypt, encryption: encryptionSchema })).default([]),
  default: strict({ decrypt, encryption: encryptionSchema }),
  s3EncryptionClient: s3EncryptionClientSchema.optional(),
  // Keys that no rule uses any more and that still open older objects.
  formerKeys: z.array(z.string().regex(KEY_ARN, KEY_FORM)).default([]),
  // What becomes of the source version once its copy is proven and recorded.
  source: z.enum(['keep', 'delete']).default('keep'),
  // Of the copies; `keep`: as the source's, which costs one HeadObject an object.
  storageClass: storageClass.default('STANDARD'),
  access: z.array(accessSchema).default([]),
  downloads: z.array(downloadSchema).default([]),
}).superRefine(({ rules, default: fallback, formerKeys, source, s3EncryptionClient }, context) => {
  const clientKeys = new Set(s3EncryptionClient?.keys);
  const decrypts = [...rules, fallback].some(({ decrypt }) => decrypt !== undefined);
  const problem = (path: (string | number)[], message: string) => context.addIssue({ code: 'custom', path, message });
  if (s3EncryptionClient !== undefined && !decrypts)
    problem(['s3EncryptionClient'], 'only with a rule that says decrypt: s3-encryption-client');
  // CBC authenticates nothing: what came out wrong would be all that is left.
  if (s3EncryptionClient?.legacy && source === 'delete') problem(['s3EncryptionClient', 'legacy'], 'false where source is delete');
  // What opens sources, for legacy without a condition, must not open what is stored.
  for (const key of [
    ...formerKeys,
    ...[...rules, fallback].flatMap(({ encryption }) => ('key' in encryption ? (encryption.key ?? []) : [])),
  ]) {
    if (clientKeys.has(key)) problem(['s3EncryptionClient', 'keys'], 'keys that neither a rule nor formerKeys name');
  }
  for (const [index, { decrypt }] of [...rules, fallback].entries()) {
    if (decrypt === undefined || s3EncryptionClient !== undefined) continue;
    const path = index < rules.length ? ['rules', index, 'decrypt'] : ['default', 'decrypt'];
    context.addIssue({ code: 'custom', path, message: 'only with s3EncryptionClient, which says what opens such sources' });
  }
  const inUse = new Set([...rules, fallback].map(({ encryption }) => ('key' in encryption ? encryption.key : undefined)));
  for (const [index, key] of formerKeys.entries()) {
    // Such a key would be drift and policy at once.
    if (inUse.has(key)) context.addIssue({ code: 'custom', path: ['formerKeys', index], message: 'a key that no rule names' });
  }
});

export type Policy = z.infer<typeof policySchema>;
export type Match = Policy['rules'][number]['match'];
/** A mode with its parameters, as the policy says it: keys are still names, not material. */
export type Encryption = z.infer<typeof encryptionSchema>;
export type EncryptionMode = Encryption['mode'];
/** What a source is decrypted from before it is encrypted; `undefined`: nothing. */
export type Decryption = Policy['default']['decrypt'];
/** What is encrypted before S3 sees it. */
export type ClientSideMode = Extract<EncryptionMode, `cse-${string}`>;
/** What S3 encrypts. */
export type ServerSideMode = Exclude<EncryptionMode, ClientSideMode>;
export type StorageClass = Policy['storageClass'];
export type AccessRule = z.infer<typeof accessSchema>;
/** What becomes of large objects under one of its prefixes. */
export type DownloadRule = Omit<z.infer<typeof downloadSchema>, 'under'>;
export type AccessAction = AccessRule['may'][number];
