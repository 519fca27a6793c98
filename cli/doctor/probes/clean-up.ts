/** Takes away what a probe left: every version of its object in both buckets, and its dead letters. */
import { setTimeout as delay } from 'node:timers/promises';
import { DeleteObjectCommand, ListObjectVersionsCommand } from '@aws-sdk/client-s3';
import { DeleteMessageCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { errorName } from '../../sdk-error.ts';
import { awsCommand } from '../aws-command.ts';
import type { DoctorContext } from '../context.ts';
import { type Finding, warning } from '../finding.ts';

const MAX_RECEIVED = 10;
/** Letters of others are back in sight after so long. */
const HIDDEN_SECONDS = 2;
/** A letter follows its event within moments. */
const LOOKS = 10;
const PAUSE_MS = 300;

export async function removeObjects({ clients, stack }: DoctorContext, key: string): Promise<Finding[]> {
  const places = [
    { Bucket: stack.ingestBucket, ExpectedBucketOwner: stack.account },
    { Bucket: stack.targetBucket, ExpectedBucketOwner: stack.targetBucketOwner },
  ];
  const removals = places.map(async (place) => {
    try {
      const { Versions = [], DeleteMarkers = [] } = await clients.s3.send(new ListObjectVersionsCommand({ ...place, Prefix: key }));
      for (const { VersionId, Key } of [...Versions, ...DeleteMarkers]) {
        if (Key === key) await clients.s3.send(new DeleteObjectCommand({ ...place, Key, VersionId }));
      }
      return [];
    } catch (cause) {
      return [leftBehind(place.Bucket, key, cause)];
    }
  });
  return (await Promise.all(removals)).flat();
}

function leftBehind(bucket: string, key: string, cause: unknown): Finding {
  return warning('round-trip.left-behind', {
    resource: `${bucket}/${key}`,
    what: `a small object of this probe may still lie here: it could not be removed (${errorName(cause)})`,
    nextStep: 'Grant s3:ListBucketVersions and s3:DeleteObjectVersion to whoever runs this, and remove the versions of the object.',
    command: awsCommand('s3api', 'list-object-versions', { bucket, prefix: key }),
    evidence: { error: errorName(cause) },
  });
}

/** Of the probe that failed alone: other letters stay, and are seen again after a moment. Whether it could is not said: letters are harmless. */
export async function removeLetters({ clients, stack }: DoctorContext, key: string): Promise<void> {
  const QueueUrl = stack.deadLetterQueueUrl;
  const receive = new ReceiveMessageCommand({
    QueueUrl,
    MaxNumberOfMessages: MAX_RECEIVED,
    VisibilityTimeout: HIDDEN_SECONDS,
    MessageAttributeNames: ['key'],
  });
  for (let look = 0; look < LOOKS; look += 1) {
    const { Messages = [] } = await clients.sqs.send(receive).catch(() => ({ Messages: [] }));
    const own = Messages.filter(({ MessageAttributes }) => MessageAttributes?.key?.StringValue === key);
    for (const { ReceiptHandle } of own) {
      await clients.sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle })).catch(() => {});
    }
    if (own.length > 0) return;
    await delay(PAUSE_MS);
  }
}
