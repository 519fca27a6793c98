/** The ingest bucket, and the client that writes into it. */
import { HeadObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { CannotLook } from '../cannot-look.ts';
import { Failure } from '../failure.ts';
import { errorMessage, errorName, httpStatus, isDenied } from '../sdk-error.ts';
import type { Environment, StackArguments } from '../stack-arguments.ts';

/** How long parts take depends on the line: only a silent connection counts as broken. */
const REQUEST_HANDLER = { connectionTimeout: 10_000, socketTimeout: 120_000 };
const MAX_ATTEMPTS = 5;

export function createUploadClient(region: string | undefined): S3Client {
  return new S3Client({ ...(region !== undefined && { region }), maxAttempts: MAX_ATTEMPTS, requestHandler: REQUEST_HANDLER });
}

/** @throws CannotLook: nobody says which one it is */
export async function ingestBucketOf({ stackName, region }: StackArguments, env: Environment): Promise<string> {
  if (env.SEALDROP_INGEST_BUCKET) return env.SEALDROP_INGEST_BUCKET;
  const [{ createClients, closeClients }, { describeStack }] = await Promise.all([import('../clients.ts'), import('../stack.ts')]);
  const clients = createClients(region);
  try {
    return (await describeStack(clients.cloudformation, stackName)).ingestBucket;
  } finally {
    closeClients(clients);
  }
}

/** Who may only write cannot ask. @returns `null`: it cannot be told, or the bucket has no versions */
export async function currentVersionOf(s3: S3Client, bucket: string, key: string): Promise<string | null> {
  try {
    return (await s3.send(new HeadObjectCommand({ Bucket: bucket, Key: key }))).VersionId ?? null;
  } catch {
    return null;
  }
}

/** @returns what it means that S3 did not take the file; what is no answer of S3's as it is */
export function putFailure(error: unknown, bucket: string, key: string): unknown {
  if (error instanceof Failure || CannotLook.because(error) !== null || httpStatus(error) === 0) return error;
  return new Failure(`${key} cannot be put into ${bucket}: ${errorName(error)} (${errorMessage(error)})`, {
    code: errorName(error),
    status: httpStatus(error),
    nextStep: isDenied(error)
      ? 'Grant s3:PutObject on the ingest bucket, s3:AbortMultipartUpload for large files, and s3:PutObjectTagging for --tag.'
      : 'Is SEALDROP_INGEST_BUCKET, or --stage and --region, the stack that is meant?',
    cause: error,
  });
}
