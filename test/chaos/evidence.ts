/** What is there once all is over, asked of the services themselves by an administrator. */
import { type AttributeValue, DynamoDBClient, paginateQuery, paginateScan } from '@aws-sdk/client-dynamodb';
import { DescribeKeyCommand } from '@aws-sdk/client-kms';
import { type Message, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import pMap from 'p-map';
import type { StackClients } from '../../local/clients.ts';
import { messagesIn } from '../../local/queues.ts';
import { type NamedSource, sourcesIn } from './deliveries.ts';
import { type Held, openObjects, type Seen } from './held-object.ts';
import { paginateListMultipartUploads, paginateListObjectVersions } from './pages.ts';

const PARALLEL_REQUESTS = 16;
/** Long enough that no letter is read twice. */
const LETTERS_HIDDEN_SECONDS = 600;

export interface TargetVersion {
  key: string;
  versionId: string;
  etag: string;
  latest: boolean;
}

/** As the audit table holds it; only what the checks look at. */
export interface RecordItem {
  key: string;
  etag: string;
  versionId?: string;
  encryption: { mode: string; keyArn?: string; bucketKey?: boolean };
  proof?: string;
  size: number;
  source: { versionId?: string; sequencer: string };
  encryptedAt: string;
}

export interface EventItem {
  action: string;
  outcome: string;
  key: string;
  uniqueId: string;
  versionId?: string;
  code?: string;
}

export interface DeadLetter {
  /** `null`: the queue moved it by itself, since the function died over it. */
  code: string | null;
  cause: string;
  key: string | null;
  sources: NamedSource[];
  /** Milliseconds since the epoch: when it became a dead letter, or, moved by the queue, when its event was sent. */
  sentAt: number;
  messageId: string;
}

export interface Evidence {
  versions: TargetVersion[];
  /** By key: the current object. */
  held: Map<string, Held>;
  /** By version id: how S3 describes what records and events speak of, and what is current. */
  seen: Map<string, Seen>;
  records: RecordItem[];
  events: EventItem[];
  deadLetters: DeadLetter[];
  uploads: { key: string; uploadId: string }[];
  /** Messages left on the ingest queue. */
  left: number;
  managedKeyArn: string;
}

export interface GatherOptions {
  /** Only what is about this one; of dead letters and messages all. */
  key?: string;
  update?: (done: number, of: number) => void;
}

export async function gather(clients: StackClients, { key: only, update }: GatherOptions = {}): Promise<Evidence> {
  const versions = await listVersions(clients, only);
  const { records, events } = await readTable(clients, only);
  const named = new Set([...records, ...events].flatMap(({ versionId }) => (versionId === undefined ? [] : [versionId])));
  const objects = await openObjects(clients);
  const held = new Map<string, Held>();
  const seen = new Map<string, Seen>();
  const looked = versions.filter(({ versionId, latest }) => latest || named.has(versionId));
  let done = 0;
  await pMap(
    looked,
    async ({ key, versionId, latest }) => {
      seen.set(versionId, await objects.look(key, versionId));
      if (latest) held.set(key, await objects.hold(key, versionId, seen.get(versionId)));
      done += 1;
      update?.(done, looked.length);
    },
    { concurrency: PARALLEL_REQUESTS },
  );
  const { KeyMetadata } = await clients.kms.send(new DescribeKeyCommand({ KeyId: 'alias/aws/s3' }));
  return {
    versions,
    held,
    seen,
    records,
    events,
    deadLetters: await readDeadLetters(clients),
    uploads: await listUploads(clients, only),
    left: await messagesIn(clients.sqs, clients.queueUrl),
    managedKeyArn: KeyMetadata?.Arn ?? '',
  };
}

async function listVersions({ s3, targetBucket }: StackClients, only = ''): Promise<TargetVersion[]> {
  const found: TargetVersion[] = [];
  for await (const page of paginateListObjectVersions(s3, { Bucket: targetBucket, Prefix: only })) {
    for (const { Key = '', VersionId = '', ETag = '', IsLatest = false } of page.Versions ?? []) {
      found.push({ key: Key, versionId: VersionId, etag: ETag.replaceAll('"', ''), latest: IsLatest });
    }
  }
  return found;
}

async function listUploads({ s3, targetBucket }: StackClients, only = ''): Promise<Evidence['uploads']> {
  const found: Evidence['uploads'] = [];
  for await (const page of paginateListMultipartUploads(s3, { Bucket: targetBucket, Prefix: only })) {
    for (const { Key = '', UploadId = '' } of page.Uploads ?? []) found.push({ key: Key, uploadId: UploadId });
  }
  return found;
}

async function readTable(clients: StackClients, only: string | undefined): Promise<{ records: RecordItem[]; events: EventItem[] }> {
  const records: RecordItem[] = [];
  const events: EventItem[] = [];
  for await (const item of items(clients, only)) {
    const { record, event } = unmarshall(item) as { record?: RecordItem; event?: EventItem };
    if (record !== undefined) records.push(record);
    if (event !== undefined) events.push(event);
  }
  return { records, events };
}

async function* items(
  { config, auditTable, targetBucket }: StackClients,
  only: string | undefined,
): AsyncGenerator<Record<string, AttributeValue>> {
  const client = new DynamoDBClient(config);
  const TableName = auditTable;
  const query = (partition: string) => ({
    TableName,
    KeyConditionExpression: 'pk = :pk',
    ExpressionAttributeValues: { ':pk': { S: `${partition}#${targetBucket}/${only}` } },
  });
  const pages =
    only === undefined
      ? [paginateScan({ client }, { TableName })]
      : ['object', 'audit'].map((name) => paginateQuery({ client }, query(name)));
  for (const source of pages) for await (const { Items = [] } of source) yield* Items;
  client.destroy();
}

async function readDeadLetters({ sqs, deadLetterQueueUrl }: StackClients): Promise<DeadLetter[]> {
  const found: DeadLetter[] = [];
  for (;;) {
    const receive = new ReceiveMessageCommand({
      QueueUrl: deadLetterQueueUrl,
      MaxNumberOfMessages: 10,
      MessageAttributeNames: ['All'],
      MessageSystemAttributeNames: ['SentTimestamp'],
      VisibilityTimeout: LETTERS_HIDDEN_SECONDS,
    });
    const { Messages = [] } = await sqs.send(receive);
    if (Messages.length === 0) return found;
    found.push(...Messages.map(deadLetter));
  }
}

function deadLetter({ Body = '', MessageAttributes = {}, Attributes = {}, MessageId = '' }: Message): DeadLetter {
  return {
    code: MessageAttributes.code?.StringValue ?? null,
    cause: MessageAttributes.cause?.StringValue ?? 'the function died over it',
    key: MessageAttributes.key?.StringValue ?? null,
    sources: sourcesIn(Body).sources,
    sentAt: Number(Attributes.SentTimestamp),
    messageId: MessageId,
  };
}
