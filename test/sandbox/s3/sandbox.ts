/** S3 and KMS behind the real server, over a folder that can be reopened. */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { S3Client, type S3ClientConfig, S3ServiceException } from '@aws-sdk/client-s3';
import { type Access, openAccess } from '../../../sandbox/iam/access.ts';
import type { Judge } from '../../../sandbox/iam/judge.ts';
import { type Kms, openKms } from '../../../sandbox/kms/kms.ts';
import { type Limits, openS3, type S3 } from '../../../sandbox/s3/index.ts';
import type { EventSource } from '../../../sandbox/service.ts';
import { openState, type State } from '../../../sandbox/state.ts';
import { openCredentials } from '../../../sandbox/wire/credentials.ts';
import { createAwsServer } from '../../../sandbox/wire/server.ts';

export const BUCKET = 'drop';
/** Another bucket, with versioning. */
export const VERSIONED = 'versioned';

/** Who may be a role of these tests is nobody's concern here. */
const TRUST = {
  Version: '2012-10-17',
  Statement: { Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' },
};

export interface EventRecord {
  eventName: string;
  eventVersion: string;
  userIdentity: { principalId: string };
  requestParameters: { sourceIPAddress: string };
  s3: {
    configurationId: string;
    bucket: { name: string; arn: string };
    object: { key: string; size?: number; eTag?: string; versionId?: string; sequencer: string };
  };
}

export interface SentMessage {
  arn: string;
  from: EventSource;
  message: { Event?: string; Bucket?: string; Records?: EventRecord[] };
}

export interface Sandbox extends AsyncDisposable {
  url: string;
  dir: string;
  state: State;
  s3: S3;
  kms: Kms;
  client: S3Client;
  sent: SentMessage[];
  /** Exceptions that no service should throw. */
  defects: unknown[];
  credentials: { accessKeyId: string; secretAccessKey: string };
  connect(configuration?: S3ClientConfig): S3Client;
  access: Access;
  /** A client of the role `name`, which may do what the statements say and nothing else; a role of that name gets new rights. */
  asRole(name: string, ...statements: object[]): S3Client;
  /** A client that adds these headers, signed, to everything. */
  adding(headers: Record<string, string>, configuration?: S3ClientConfig): S3Client;
  /** Stops everything but keeps the folder. */
  stop(): Promise<void>;
}

export interface Options {
  limits?: Partial<Limits>;
  /** Reopens this folder, and leaves it behind at the end. */
  dir?: string;
  /** Called before an event counts as sent; may refuse it. */
  beforeSend?: (arn: string, from: EventSource) => void;
  /** In place of the one that judges by the state's roles. */
  judge?: Judge;
}

/** Starts a sandbox with the buckets `drop` and `versioned`, both of which allow SSE-C. */
export async function openSandbox({ limits = {}, dir, beforeSend, judge }: Options = {}): Promise<Sandbox> {
  const folder = dir ?? mkdtempSync(join(tmpdir(), 'sandbox-s3-'));
  const state = openState(folder);
  const kms = openKms(state);
  const sent: SentMessage[] = [];
  const notify = (arn: string, body: string, from: EventSource) => {
    beforeSend?.(arn, from);
    sent.push({ arn, from, message: JSON.parse(body) as SentMessage['message'] });
  };
  const access = openAccess(state);
  const s3 = openS3({ state, keys: kms, notify, judge: judge ?? access.judge, limits });
  const knownCredentials = openCredentials(state);
  const { accessKeyId, secretAccessKey } = knownCredentials.administrator();
  const credentials = { accessKeyId, secretAccessKey };
  const defects: unknown[] = [];
  const server = createAwsServer({ services: { s3, kms }, credentials: knownCredentials, onDefect: (error) => defects.push(error) });
  const { url } = await server.listen(0);
  const clients: S3Client[] = [];
  const connect = (configuration: S3ClientConfig = {}) => {
    const client = new S3Client({
      endpoint: url,
      region: 'us-east-1',
      forcePathStyle: true,
      maxAttempts: 1,
      credentials,
      ...configuration,
    });
    clients.push(client);
    return client;
  };
  const asRole = (name: string, ...statements: object[]) => {
    const { arn: roleArn } = access.putRole(
      name,
      TRUST,
      statements.length > 0 ? { inline: { Version: '2012-10-17', Statement: statements } } : {},
    );
    const issued = knownCredentials.issueForRole(name, { roleArn, sessionName: 'session' });
    const { accessKeyId, secretAccessKey, sessionToken } = issued;
    return connect({ credentials: { accessKeyId, secretAccessKey, ...(sessionToken !== null && { sessionToken }) } });
  };
  const adding = (headers: Record<string, string>, configuration: S3ClientConfig = {}) => {
    const client = connect(configuration);
    client.middlewareStack.add(
      (next) => (args) => {
        Object.assign((args.request as { headers: Record<string, string> }).headers, headers);
        return next(args);
      },
      { step: 'build', priority: 'low' },
    );
    return client;
  };
  for (const name of [BUCKET, VERSIONED]) prepareBucket(s3, name);
  s3.putBucketVersioning(VERSIONED, { Status: 'Enabled' });

  const stop = async () => {
    for (const client of clients) client.destroy();
    await server.close();
    state.close();
  };
  const remove = async () => {
    await stop();
    if (dir === undefined) rmSync(folder, { recursive: true, force: true });
  };
  return {
    url,
    dir: folder,
    state,
    s3,
    kms,
    client: connect(),
    sent,
    defects,
    credentials,
    connect,
    access,
    asRole,
    adding,
    stop,
    [Symbol.asyncDispose]: remove,
  };
}

/** The SDK's three SSE-C parameters. */
export function customerKey(key: Buffer) {
  return { SSECustomerAlgorithm: 'AES256', SSECustomerKey: key.toString('base64'), SSECustomerKeyMD5: md5Base64(key) };
}

export function copySourceKey(key: Buffer) {
  return {
    CopySourceSSECustomerAlgorithm: 'AES256',
    CopySourceSSECustomerKey: key.toString('base64'),
    CopySourceSSECustomerKeyMD5: md5Base64(key),
  };
}

/** How a call was refused: `403 AccessDenied`, and the message. Fails when it was not. */
export async function refusal(call: Promise<unknown>): Promise<{ answer: string; message: string; detail: Record<string, unknown> }> {
  try {
    await call;
  } catch (error) {
    if (!(error instanceof S3ServiceException)) throw error;
    return { answer: `${error.$metadata.httpStatusCode} ${error.name}`, message: error.message, detail: { ...error } };
  }
  throw new Error('the call was not refused');
}

export function md5Base64(bytes: Buffer | string): string {
  return createHash('md5').update(bytes).digest('base64');
}

export function md5Hex(bytes: Buffer | string): string {
  return createHash('md5').update(bytes).digest('hex');
}

/** Bytes that differ from one another and are the same in every run. */
export function sample(length: number, seed = 1): Buffer {
  const bytes = Buffer.alloc(length);
  let state = seed;
  for (let at = 0; at < length; at += 1) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) | 0;
    bytes[at] = state >>> 16;
  }
  return bytes;
}

function prepareBucket(s3: S3, name: string): void {
  if (s3.bucketExists(name)) return;
  s3.createBucket(name);
  s3.putBucketEncryption(name, { Rules: [{ BlockedEncryptionTypes: { EncryptionType: ['NONE'] } }] });
}
