/**
 * S3 as this stack needs it, with its real rules of encryption.
 *
 * Who may do what stands in `access/`. Callers without a signature may do nothing, whatever a policy says.
 *
 * Multipart uploads are whole (2026-11-21): parts are uploaded or copied, by range, between all encryption modes; checksums of the
 * whole are combined from the parts' and compared with what a completion claims; conditions on what is written to are judged in the
 * transaction of the write, and at the end of an upload also against what happened since its beginning (409), while of two requests
 * that collide one is a 412 or a 404 here and may be a 409 on S3; an object of parts is dated by the beginning of its upload; a
 * completion that is sent again is answered again. Copies and completions never take so long that S3's 200 with an error inside would come up.
 *
 * What it does not do (2026-11-30): UpdateObjectEncryption, form uploads, encryption headers in the query of a presigned URL, the
 * limit of 8 KB for all headers of a write, ACLs (they are off, as in every new bucket), the check that a new bucket policy does not
 * lock its author out, RestrictPublicBuckets (it has nothing to restrict), condition keys on tags and on locks, running lifecycle
 * rules (they are kept), Object Lock headers, legal holds and governance bypass (a bucket's default retention is enforced), archives
 * (GLACIER, DEEP_ARCHIVE), the order of versions by when their uploads began (what was stored last is current), replication, website,
 * CORS, logging, inventory, metrics, annotations, SelectObjectContent, events other than ObjectCreated and ObjectRemoved or to targets
 * other than queues, access points, directory buckets, SHA-512, MD5 and XXHash as checksums.
 */

import { ACCOUNT_ID } from '../account.ts';
import { AwsError } from '../aws-error.ts';
import { openAccess } from '../iam/access.ts';
import type { Judge } from '../iam/judge.ts';
import type { DataKeys, NotificationSink, Service, WireRequest } from '../service.ts';
import type { State } from '../state.ts';
import { sendError } from '../wire/error-response.ts';
import { ACCOUNT_PRINCIPAL } from '../wire/json-service.ts';
import { authorize } from './access/authorize.ts';
import { sendEmptyAnswer } from './answer.ts';
import { type CreateBucketOptions, createBucket, deleteBucket } from './bucket/buckets.ts';
import { deletePolicy, deleteSetting, putPolicy, putSetting } from './bucket/setting-operations.ts';
import type { BucketSettings } from './bucket/settings.ts';
import { openEncryption } from './encryption/index.ts';
import { accessDenied, EmptyAnswer } from './errors.ts';
import { type Limits, S3_LIMITS } from './limits.ts';
import { copiedBytes } from './object/copied-bytes.ts';
import type { Room } from './room.ts';
import { detect, locate } from './route.ts';
import { openBlobs } from './store/blobs.ts';
import { openBuckets } from './store/buckets.ts';
import { openCompletedUploads } from './store/completed-uploads.ts';
import { openListing } from './store/listing.ts';
import { openObjects } from './store/objects.ts';
import { createTables, openSequence } from './store/schema.ts';
import { openSegments } from './store/segments.ts';
import { openUploads } from './store/uploads.ts';
import { openVersions } from './store/versions.ts';

export interface S3Options {
  state: State;
  keys: DataKeys;
  notify: NotificationSink;
  /** Asked about every request from the wire; the state's own unless given. */
  judge?: Judge;
  /** Lower limits, for tests. */
  limits?: Partial<Limits>;
}

/**
 * Buckets without the wire, as CloudFormation makes them for whoever deploys: the AWS SDK's shapes, the same checks, the same
 * AwsErrors. Nobody's rights are asked for; policies are parsed as strictly.
 */
export interface BucketConfiguration {
  createBucket(name: string, options?: CreateBucketOptions): void;
  /** Throws AwsError `BucketNotEmpty`. */
  deleteBucket(name: string): void;
  bucketExists(name: string): boolean;
  settings(name: string): Readonly<Partial<BucketSettings>>;
  policy(name: string): string | null;
  putBucketVersioning(name: string, configuration: BucketSettings['versioning']): void;
  putBucketEncryption(name: string, configuration: BucketSettings['encryption']): void;
  deleteBucketEncryption(name: string): void;
  /** Sends `s3:TestEvent` to every queue. */
  putBucketNotification(name: string, configuration: BucketSettings['notification']): void;
  putPublicAccessBlock(name: string, configuration: Partial<BucketSettings['publicAccessBlock']>): void;
  deletePublicAccessBlock(name: string): void;
  putOwnershipControls(name: string, configuration: BucketSettings['ownershipControls']): void;
  putBucketPolicy(name: string, policy: string): void;
  deleteBucketPolicy(name: string): void;
  putLifecycle(name: string, configuration: BucketSettings['lifecycle']): void;
  deleteLifecycle(name: string): void;
  putObjectLock(name: string, configuration: BucketSettings['objectLock']): void;
  putBucketTagging(name: string, configuration: BucketSettings['tagging']): void;
  deleteBucketTagging(name: string): void;
}

export type { Limits } from './limits.ts';

/** What is in the way of a request that nobody sends. */
export interface Traffic {
  /** Bytes of the object, or of the range of it, that the request copies; `null`: it copies none that is there. */
  copiedBytes(request: WireRequest): number | null;
}

export type S3 = Service & BucketConfiguration & Traffic;

/** Opens the buckets and objects below `state`, and removes files that a killed process left behind. */
export function openS3({ state, keys, notify, judge = openAccess(state).judge, limits }: S3Options): S3 {
  const room = openRoom({ state, keys, notify, judge }, { ...S3_LIMITS, ...limits });
  return {
    handle: (request, response) => handle(room, request, response),
    copiedBytes: (request) => copiedBytes(room, request),
    ...bucketConfiguration(room),
  };
}

const handle = async (room: Room, request: WireRequest, response: Parameters<Service['handle']>[1]): Promise<void> => {
  try {
    const target = locate(request, room.limits);
    const { name, definition } = detect(request, target);
    checkOwner(request);
    if (request.principal === null) throw accessDenied();
    const call = { room, request, response, principal: request.principal, ...target };
    authorize(call, name);
    request.beforeWork?.();
    await definition.handle(call);
  } catch (error) {
    if (error instanceof EmptyAnswer) return sendEmptyAnswer(response, error);
    if (!(error instanceof AwsError)) throw error;
    sendError('rest-xml', response, error, request.requestId);
  }
};

function openRoom({ state, keys, notify, judge }: Required<Omit<S3Options, 'limits'>>, limits: Limits): Room {
  createTables(state.db);
  const segments = openSegments(state);
  const objects = openObjects(state);
  const sequence = openSequence(state.db);
  const blobs = openBlobs(state.db, state.folder('objects'), limits.rowBytes);
  blobs.sweep(segments.isReferenced());
  return {
    transaction: state.transaction,
    limits,
    encryption: openEncryption(keys, state.folder('s3')),
    buckets: openBuckets(state),
    objects,
    versions: openVersions(objects, segments, sequence),
    segments,
    uploads: openUploads(state),
    completedUploads: openCompletedUploads(state),
    listing: openListing(state),
    sequence,
    blobs,
    notify,
    judge,
    principalExists: openAccess(state).principalExists,
  };
}

function bucketConfiguration(room: Room): BucketConfiguration {
  return {
    createBucket: (name, options) => createBucket(room, name, options),
    deleteBucket: (name) => deleteBucket(room, name),
    bucketExists: (name) => room.buckets.find(name) !== null,
    settings: (name) => room.buckets.get(name).settings,
    policy: (name) => room.buckets.get(name).policy?.text ?? null,
    putBucketVersioning: (name, configuration) => putSetting(room, name, 'versioning', configuration),
    putBucketEncryption: (name, configuration) => putSetting(room, name, 'encryption', configuration),
    deleteBucketEncryption: (name) => deleteSetting(room, name, 'encryption'),
    putBucketNotification: (name, configuration) => putSetting(room, name, 'notification', configuration),
    putPublicAccessBlock: (name, configuration) => putSetting(room, name, 'publicAccessBlock', configuration),
    deletePublicAccessBlock: (name) => deleteSetting(room, name, 'publicAccessBlock'),
    putOwnershipControls: (name, configuration) => putSetting(room, name, 'ownershipControls', configuration),
    putBucketPolicy: (name, policy) => putPolicy(room, name, policy, ACCOUNT_PRINCIPAL.arn),
    deleteBucketPolicy: (name) => deletePolicy(room, name),
    putLifecycle: (name, configuration) => putSetting(room, name, 'lifecycle', configuration),
    deleteLifecycle: (name) => deleteSetting(room, name, 'lifecycle'),
    putObjectLock: (name, configuration) => putSetting(room, name, 'objectLock', configuration),
    putBucketTagging: (name, configuration) => putSetting(room, name, 'tagging', configuration),
    deleteBucketTagging: (name) => deleteSetting(room, name, 'tagging'),
  };
}

/** There is one account. */
function checkOwner({ headers }: WireRequest): void {
  for (const name of ['x-amz-expected-bucket-owner', 'x-amz-source-expected-bucket-owner']) {
    if (headers[name] !== undefined && headers[name] !== ACCOUNT_ID) throw accessDenied();
  }
}
