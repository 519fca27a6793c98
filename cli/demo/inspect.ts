/** How S3 itself says that each object is stored, against what the policy names. */

import { createHash } from 'node:crypto';
import { HeadObjectCommand, type HeadObjectCommandOutput } from '@aws-sdk/client-s3';
import pMap from 'p-map';
import type { StackClients } from '../../local/clients.ts';
import { codedMode } from '../../src/encryption/index.ts';
import { matchPolicy } from '../../src/policy/match.ts';
import type { Encryption, Policy } from '../../src/policy/schema.ts';
import type { DroppedFile } from './find-files.ts';

const PARALLEL_REQUESTS = 16;

export interface StoredAs {
  /** For people: `SSE-KMS, stack key, Bucket Key`. */
  description: string;
  /** Whether it is what the policy names. */
  asNamed: boolean;
}

/** In the order of `files`. */
export async function inspectTarget(
  files: DroppedFile[],
  policy: Policy,
  clients: StackClients,
  update: (done: number) => void,
): Promise<StoredAs[]> {
  const customerKey = await clients.customerKey();
  let done = 0;
  const inspect = async (file: DroppedFile): Promise<StoredAs> => {
    const decision = matchPolicy(policy, { key: file.key, size: file.size });
    if (decision.action !== 'encrypt') throw new Error("the demo's policy looks at names and sizes only");
    const stored = await inspectOne(file, decision.encryption, customerKey, clients);
    done += 1;
    update(done);
    return stored;
  };
  return pMap(files, inspect, { concurrency: PARALLEL_REQUESTS });
}

async function inspectOne(file: DroppedFile, named: Encryption, customerKey: Buffer, clients: StackClients): Promise<StoredAs> {
  const object = { Bucket: clients.targetBucket, Key: file.key };
  const bare = await head(object, clients);
  if (typeof bare !== 'number') return judge(bare, named, customerKey, clients);
  // 400 without a key is how S3 answers for SSE-C, and for nothing else.
  if (bare !== 400) return { description: `not there (${bare})`, asNamed: false };
  const opened = await head({ ...object, SSECustomerAlgorithm: 'AES256', SSECustomerKey: customerKey.toString('base64') }, clients);
  if (typeof opened === 'number') return { description: `SSE-C, but not under the secret's key (${opened})`, asNamed: false };
  return judge(opened, named, customerKey, clients);
}

function judge(answer: HeadObjectCommandOutput, named: Encryption, customerKey: Buffer, { kmsKeyArn }: StackClients): StoredAs {
  const { ServerSideEncryption: algorithm, SSEKMSKeyId: keyArn, BucketKeyEnabled = false, SSECustomerKeyMD5 } = answer;
  const key = keyArn === kmsKeyArn ? "the stack's key" : 'the AWS managed key';
  const keyAsNamed = (wanted: string | undefined) => (wanted === undefined) === (keyArn === kmsKeyArn) && keyArn !== undefined;
  switch (named.mode) {
    case 'sse-s3':
      return { description: 'SSE-S3', asNamed: algorithm === 'AES256' };
    case 'sse-kms': {
      const asNamed = algorithm === 'aws:kms' && keyAsNamed(named.key) && BucketKeyEnabled === named.bucketKey;
      return { description: `SSE-KMS, ${key}${BucketKeyEnabled ? ', Bucket Key' : ''}`, asNamed };
    }
    case 'dsse-kms':
      return { description: `DSSE-KMS, ${key}`, asNamed: algorithm === 'aws:kms:dsse' && keyAsNamed(named.key) };
    case 'sse-c': {
      const md5 = createHash('md5').update(customerKey).digest('base64');
      return { description: "SSE-C, the secret's key", asNamed: SSECustomerKeyMD5 === md5 };
    }
    case 'cse-kms':
    case 'cse-aes': {
      const how = named.mode === 'cse-kms' ? "the stack's key" : "the secret's wrapping key";
      const asNamed = codedMode(answer.ContentEncoding)?.mode === named.mode && algorithm === 'aws:kms' && keyArn === kmsKeyArn;
      return { description: `encrypted before S3, ${how}`, asNamed };
    }
    default:
      return named satisfies never;
  }
}

/** @returns the answer, or the status that refused it */
async function head(
  input: ConstructorParameters<typeof HeadObjectCommand>[0],
  { s3 }: StackClients,
): Promise<HeadObjectCommandOutput | number> {
  return s3.send(new HeadObjectCommand(input)).catch((error: unknown) => {
    const metadata = error instanceof Error && '$metadata' in error ? (error.$metadata as { httpStatusCode?: number }) : {};
    if (metadata.httpStatusCode === undefined) throw error;
    return metadata.httpStatusCode;
  });
}
