/** Carries out the plan: an application that knows S3 and nothing else. */
import { DeleteObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import pMap from 'p-map';
import type { StackClients } from '../../local/clients.ts';
import { contents } from './contents.ts';
import type { PlannedKey, PlannedState, Step } from './plan.ts';

const PARALLEL_KEYS = 16;

/** A state as S3 took it. */
export interface WrittenState {
  key: string;
  state: PlannedState;
  versionId: string;
  /** Without quotes. */
  etag: string;
}

export interface Ledger {
  written: WrittenState[];
  /** Versions that were deleted for good. */
  removed: Set<string>;
}

/** @param ledger filled while it runs; a step that fails ends the run */
export async function dropAll(
  keys: PlannedKey[],
  clients: Pick<StackClients, 's3' | 'ingestBucket'>,
  { seed, ledger, update }: { seed: number; ledger: Ledger; update: (done: number) => void },
): Promise<void> {
  let done = 0;
  const dropKey = async ({ key, writers }: PlannedKey) => {
    await Promise.all(writers.map((steps) => write(key, steps)));
    done += 1;
    update(done);
  };
  await pMap(keys, dropKey, { concurrency: PARALLEL_KEYS });

  async function write(key: string, steps: Step[]): Promise<void> {
    let last = '';
    for (const step of steps) {
      switch (step.do) {
        case 'put':
          last = await put(key, step.state);
          break;
        case 'hide':
          await clients.s3.send(new DeleteObjectCommand({ Bucket: clients.ingestBucket, Key: key }));
          break;
        case 'remove':
          // Before the deletion: a copy may fail for it while its answer is on the way.
          ledger.removed.add(last);
          await clients.s3.send(new DeleteObjectCommand({ Bucket: clients.ingestBucket, Key: key, VersionId: last }));
          break;
        default:
          step satisfies never;
      }
    }
  }

  async function put(key: string, state: PlannedState): Promise<string> {
    const { number, size, contentType, contentLanguage, contentDisposition, cacheControl, metadata, tags, checksum } = state;
    const answer = await clients.s3.send(
      new PutObjectCommand({
        Bucket: clients.ingestBucket,
        Key: key,
        Body: contents(seed, key, number, size),
        ContentType: contentType,
        ContentLanguage: contentLanguage,
        ContentDisposition: contentDisposition,
        CacheControl: cacheControl,
        Metadata: metadata,
        Tagging: new URLSearchParams(tags).toString(),
        ...(checksum === undefined ? {} : { ChecksumAlgorithm: checksum }),
      }),
    );
    const { VersionId: versionId, ETag: etag } = answer;
    if (versionId === undefined || etag === undefined) throw new Error('the ingest bucket gives no versions');
    ledger.written.push({ key, state, versionId, etag: etag.replaceAll('"', '') });
    return versionId;
  }
}
