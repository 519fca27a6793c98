import { requireAccess } from '../access/authorize.ts';
import { versionContext } from '../access/context.ts';
import { isoDate, quoted, sendXml } from '../answer.ts';
import { DEFAULT_ENCRYPTION } from '../bucket/encryption-configuration.ts';
import type { Tag } from '../bucket/tags.ts';
import type { Checksum } from '../checksum/algorithm.ts';
import { newEncryptionHeaders } from '../encryption/answer.ts';
import { namesCustomerKey } from '../encryption/customer-key.ts';
import { chooseEncryption } from '../encryption/request.ts';
import { copySourceTooLarge, invalidArgument, invalidRequest } from '../errors.ts';
import { type Call, keyCaller } from '../room.ts';
import type { Bucket } from '../store/buckets.ts';
import type { StoredHeaders, StoredObject } from '../store/objects.ts';
import { document } from '../xml.ts';
import type { StoredFile } from './body.ts';
import { checkCondition, commit, etagOf, newVersionHeader } from './commit.ts';
import { type CopySource, openCopySource } from './copy-source.ts';
import { DEFAULT_ALGORITHM, parseAlgorithm } from './integrity.ts';
import { parseHeaders, parseRedirect, parseStorageClass, parseTags, refuseAcl, withRedirect } from './metadata.ts';
import { transfer } from './transfer.ts';

/** S3 names the operation here; there is no such IAM action. */
const NAMED_WHEN_BLOCKED = 's3:CopyObject';

/**
 * Metadata and tags come along unless told otherwise; storage class, redirect and encryption do not, they are the request's.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
 */
export async function copyObject(call: Call): Promise<void> {
  const { room, request, response, key } = call;
  const { headers } = request;
  const bucket = room.buckets.get(call.bucket);
  refuseAcl(headers);
  const directives = {
    metadata: directive(headers['x-amz-metadata-directive'], 'x-amz-metadata-directive', 'Unknown metadata directive.'),
    tagging: directive(headers['x-amz-tagging-directive'], 'x-amz-tagging-directive', 'Unknown tagging directive.'),
  };
  annotationDirective(headers['x-amz-object-annotation-directive']);
  const requestedAlgorithm = parseAlgorithm(headers['x-amz-checksum-algorithm']);
  const storage = parseStorageClass(headers);
  const source = openCopySource(call);
  const { record } = source;
  if (record.size > room.limits.maxCopyBytes) throw copySourceTooLarge(room.limits.maxCopyBytes);
  if (source.bucket.id === bucket.id && record.key === key && record.latest) refuseCopyToItself(call, bucket, directives.metadata);

  const write = { headers, secure: request.secure, principalArn: call.principal.arn, action: NAMED_WHEN_BLOCKED };
  const owner = { bucket: bucket.name, key };
  const choice = chooseEncryption(write, bucket.settings.encryption ?? DEFAULT_ENCRYPTION, owner);
  const described = {
    headers: copiedHeaders(call, record, directives.metadata),
    tags: copiedTags(call, source, directives.tagging),
    storage,
  };
  checkCondition(call, bucket);
  const { sealed, layers } = room.encryption.seal(choice, owner, keyCaller(call));
  const algorithm = requestedAlgorithm ?? record.checksum?.algorithm ?? DEFAULT_ALGORITHM;
  const whole = { start: 0, length: record.size };
  const { file, measured } = await transfer(room, source, whole, layers, { md5: sealed.mode === 'sse-s3', algorithm });
  const checksum: Checksum = { algorithm, type: 'FULL_OBJECT', value: measured.checksums.get(algorithm) ?? '' };
  refuseDamage(call, record, file, checksum);
  const etag = etagOf(sealed.mode, measured.md5);

  const made = commit(call, {
    draft: { key, size: file.size, etag, checksum, sealed, parts: null, ...described },
    event: 's3:ObjectCreated:Copy',
    attach: ({ id }) => room.segments.insert(id, { ...file, number: 1, etag, modified: Date.now(), checksum: null }),
    files: [file.blob],
  });
  sendXml(response, resultXml(made, checksum), {
    ...newVersionHeader(room, bucket.name, made),
    ...(source.bucket.settings.versioning ? { 'x-amz-copy-source-version-id': record.version } : {}),
    ...newEncryptionHeaders(sealed, choice.mode === 'sse-c' ? choice.customerKey : null),
  });
}

/** A defect of the sandbox, or of its disk. */
function refuseDamage({ room }: Call, { checksum: stored }: StoredObject, { blob }: StoredFile, { algorithm, value }: Checksum): void {
  if (stored?.algorithm !== algorithm || stored.type !== 'FULL_OBJECT' || stored.value === value) return;
  room.blobs.remove([blob]);
  throw new Error('the stored bytes of a copy source do not match its checksum');
}

function resultXml(record: StoredObject, checksum: Checksum): string {
  return document('CopyObjectResult', {
    ETag: quoted(record.etag),
    LastModified: isoDate(record.modified),
    [`Checksum${checksum.algorithm}`]: checksum.value,
    ChecksumType: checksum.type,
  });
}

type Directive = 'COPY' | 'REPLACE';

function directive(header: string | string[] | undefined, name: string, message: string): Directive {
  if (header === undefined || header === 'COPY') return 'COPY';
  if (header === 'REPLACE') return 'REPLACE';
  throw invalidArgument(message, name, String(header));
}

/** The sandbox keeps no annotations, so that both ways of copying them come to the same. */
function annotationDirective(header: string | string[] | undefined): void {
  if (header === undefined || header === 'COPY' || header === 'EXCLUDE') return;
  throw invalidArgument('Unknown annotation directive.', 'x-amz-object-annotation-directive', String(header));
}

function copiedHeaders({ request, room }: Call, record: StoredObject, metadata: Directive): StoredHeaders {
  if (metadata === 'REPLACE') return parseHeaders(request.headers, room.limits);
  return withRedirect(record.headers, parseRedirect(request.headers));
}

/** Tags that come along are read there and written here, each with its own right. @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html */
function copiedTags(call: Call, { bucket, record, version }: CopySource, tagging: Directive): Tag[] {
  if (tagging === 'REPLACE') return parseTags(call.request.headers, call.room.limits);
  if (record.tags.length > 0) {
    const action = version === null ? 's3:GetObjectTagging' : 's3:GetObjectVersionTagging';
    requireAccess(call, { action, bucket: bucket.name, key: record.key }, versionContext(call.request, version));
    requireAccess(call, { action: 's3:PutObjectTagging', bucket: call.bucket, key: call.key });
  }
  return record.tags;
}

/**
 * Allowed when metadata, storage class, redirect or encryption are in the request, when an older version is brought back, and
 * (tried by others on AWS) always when somebody configured the bucket's default encryption.
 */
function refuseCopyToItself({ request }: Call, bucket: Bucket, metadata: Directive): void {
  const { headers } = request;
  const changes =
    metadata === 'REPLACE' ||
    headers['x-amz-storage-class'] !== undefined ||
    headers['x-amz-website-redirect-location'] !== undefined ||
    headers['x-amz-server-side-encryption'] !== undefined ||
    namesCustomerKey(headers) ||
    bucket.settings.encryption?.Rules.some((rule) => rule.ApplyServerSideEncryptionByDefault !== undefined) === true;
  if (changes) return;
  throw invalidRequest(
    "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, " +
      'storage class, website redirect location or encryption attributes.',
  );
}
