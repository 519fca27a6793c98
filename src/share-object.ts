/** Makes and revokes share links, for those who may share. */
import { randomBytes } from 'node:crypto';
import { ListObjectVersionsCommand, type S3Client } from '@aws-sdk/client-s3';
import type { AuditEvent } from './audit/event.ts';
import { type Link, type Links, linkId } from './audit/links.ts';
import type { AuditTrail } from './audit/trail.ts';
import { SealdropError } from './errors.ts';
import { decodeFormKey } from './events/index.ts';
import { mayAccess } from './http/access.ts';
import type { LinkRequest } from './http/link-request.ts';
import type { Caller } from './http/request.ts';
import type { Metrics } from './metrics.ts';
import type { Log } from './observability.ts';
import type { AccessRule } from './policy/schema.ts';
import { recordRefusal } from './record-refusal.ts';
import { translateAwsError } from './translate-aws-error.ts';

export interface ShareDeps {
  s3: S3Client;
  targetBucket: string;
  /** The account that must own it. */
  targetBucketOwner: string;
  access: AccessRule[];
  links: Links;
  trail: AuditTrail;
  metrics: Metrics;
  log: Log;
}

/** As the caller is told; the token is shown this once. */
export type MadeLink = Pick<Link, 'id' | 'key' | 'versionId' | 'expires' | 'uses'> & {
  /** Below the API's address. */
  path: string;
};

interface Asked {
  caller: Caller;
  requestId: string;
}

/** 256 bits: nobody guesses one. */
const TOKEN_BYTES = 32;
const ID = /^[0-9a-f]{64}$/;

/**
 * The link is written first, and the event before its token is told.
 * @throws SealdropError `forbidden` before anything is looked up; `not-found`; `audit-unavailable`
 */
export async function shareObject(request: LinkRequest & Asked, deps: ShareDeps): Promise<MadeLink> {
  const { key, expiresInSeconds, uses, caller, requestId } = request;
  if (!mayAccess(deps.access, caller, 'share', key)) {
    await recordRefusal({ action: 'ShareDenied', bucket: deps.targetBucket, key, caller, requestId }, deps);
    throw new SealdropError('forbidden', 'You may not share this key');
  }
  const version = await findVersion(request, deps);
  const token = randomBytes(TOKEN_BYTES).toString('base64url');
  const createdAt = Date.now();
  const link: Link = {
    id: linkId(token),
    bucket: deps.targetBucket,
    key,
    ...version,
    createdBy: caller.subject,
    createdAt: new Date(createdAt).toISOString(),
    expires: new Date(createdAt + expiresInSeconds * 1000).toISOString(),
    uses,
  };
  await deps.links.create(link);
  await deps.trail.append([{ ...eventOf('LinkCreated', link, { caller, requestId }), expires: link.expires }]);
  const { id, versionId, expires } = link;
  return { id, path: `/links/${token}`, key, versionId, expires, uses };
}

/** @throws SealdropError `not-found` for a link that is not there, and for one of a key that the caller may not share; `audit-unavailable` */
export async function revokeLink({ id, caller, requestId }: { id: string } & Asked, deps: ShareDeps): Promise<void> {
  const found = ID.test(id) ? await deps.links.find(id) : null;
  const noSuchLink = new SealdropError('not-found', 'There is no such link');
  if (found === null) throw noSuchLink;
  const { bucket, key } = found.link;
  if (!mayAccess(deps.access, caller, 'share', key)) {
    await recordRefusal({ action: 'ShareDenied', bucket, key, caller, requestId }, deps);
    throw noSuchLink;
  }
  await deps.links.revoke(found.link, caller.subject);
  await deps.trail.append([eventOf('LinkRevoked', found.link, { caller, requestId })]);
}

/** By listing, which needs no right to bytes and no key. */
async function findVersion({ key, versionId }: LinkRequest, deps: ShareDeps): Promise<Pick<Link, 'versionId' | 'etag'>> {
  let marker: { KeyMarker: string; VersionIdMarker: string | undefined } | undefined;
  do {
    const list = new ListObjectVersionsCommand({
      Bucket: deps.targetBucket,
      ExpectedBucketOwner: deps.targetBucketOwner,
      Prefix: key,
      EncodingType: 'url',
      ...marker,
    });
    const answer = await deps.s3.send(list).catch((error: unknown) => {
      throw translateAwsError(error, {
        AccessDenied: ['access-denied', 'S3 denies the listing of versions'],
        NoSuchBucket: ['target-missing', 'the target bucket does not exist'],
      });
    });
    // A key comes before all that begin with it, its newest version first.
    for (const version of answer.Versions ?? []) {
      if (decodeFormKey(version.Key ?? '') !== key) continue;
      const wanted = versionId === undefined ? version.IsLatest : version.VersionId === versionId;
      if (wanted && version.VersionId !== undefined && version.ETag !== undefined)
        return { versionId: version.VersionId, etag: version.ETag };
    }
    const next = decodeFormKey(answer.NextKeyMarker ?? '') ?? '';
    marker = answer.IsTruncated && next === key ? { KeyMarker: next, VersionIdMarker: answer.NextVersionIdMarker } : undefined;
  } while (marker !== undefined);
  throw new SealdropError('not-found', 'There is no such object', { object: { bucket: deps.targetBucket, key } });
}

function eventOf(action: 'LinkCreated' | 'LinkRevoked', link: Link, { caller, requestId }: Asked): AuditEvent {
  const at = new Date().toISOString();
  const { bucket, key, versionId, id } = link;
  return {
    action,
    outcome: 'success',
    bucket,
    key,
    versionId,
    link: id,
    actor: caller.subject,
    at,
    recordedAt: at,
    uniqueId: requestId,
    correlationId: requestId,
  };
}
