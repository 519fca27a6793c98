/** GetObject and HeadObject. */
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { AwsError } from '../../aws-error.ts';
import { hasAccess } from '../access/authorize.ts';
import { versionContext } from '../access/context.ts';
import { httpDate, quoted } from '../answer.ts';
import { encryptionHeaders } from '../encryption/answer.ts';
import { parseCustomerKey } from '../encryption/customer-key.ts';
import type { CustomerKey } from '../encryption/mode.ts';
import { refuseEncryptionHeaders } from '../encryption/request.ts';
import { EmptyAnswer, invalidArgument, invalidRequest } from '../errors.ts';
import { type Call, keyCaller } from '../room.ts';
import type { StoredObject } from '../store/objects.ts';
import { readObject } from './body.ts';
import { checkRead, rangeHolds } from './conditions.ts';
import { findObject, findVersion, isStored, parseVersionId, requireListing } from './find.ts';
import { answerHeaders } from './metadata.ts';
import { checksumHeaders } from './put-object.ts';
import { type ByteRange, contentRange, parseRange } from './range.ts';

/** What `response-…` parameters replace. */
const OVERRIDES = ['content-type', 'content-language', 'expires', 'cache-control', 'content-disposition', 'content-encoding'];
export const OVERRIDE_PARAMETERS = OVERRIDES.map((name) => `response-${name}`);

/** @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html */
export async function getObject(call: Call): Promise<void> {
  const { room, request, response } = call;
  const { record, customerKey } = locate(call);
  const layers = room.encryption.open(record.sealed, { bucket: call.bucket, key: call.key }, customerKey, keyCaller(call));
  checkRead(request.headers, record);
  const selection = select(call, record);
  const bytes = readObject(room, record, layers, selection.range);
  response.writeHead(selection.partial ? 206 : 200, answer(call, record, customerKey, selection));
  if (Buffer.isBuffer(bytes)) return void response.end(bytes);
  try {
    await pipeline(Readable.from(bytes, { objectMode: false }), response);
  } catch (error) {
    // The client may leave whenever it likes; anything else is a defect, and the answer must not pass for a whole one.
    if (!(error instanceof Error && 'code' in error && error.code === 'ERR_STREAM_PREMATURE_CLOSE')) throw error;
  }
}

/** @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html */
export function headObject(call: Call): void {
  const { room, request, response } = call;
  const { record, customerKey } = locate(call);
  // HEAD asks KMS for nothing, unless it must show a checksum.
  const keyIsNeeded = record.sealed.mode === 'sse-c' || customerKey !== null || wantsChecksum(call);
  if (keyIsNeeded) room.encryption.open(record.sealed, { bucket: call.bucket, key: call.key }, customerKey, keyCaller(call));
  checkRead(request.headers, record);
  const selection = select(call, record);
  response.writeHead(selection.partial ? 206 : 200, answer(call, record, customerKey, selection));
  response.end();
}

interface Selection {
  range: ByteRange;
  partial: boolean;
  /** Set when the client asked for a part of a multipart object. */
  part: { checksum: StoredObject['checksum'] } | null;
}

function locate(call: Call): { record: StoredObject; customerKey: CustomerKey | null } {
  const { room, request, key } = call;
  refuseEncryptionHeaders(request.headers);
  const bucket = room.buckets.get(call.bucket);
  const versionId = parseVersionId(bucket, request.query.get('versionId'));
  const found = findVersion(call, bucket, key, versionId);
  if (!isStored(found)) {
    if (versionId === null) requireListing(call, bucket);
    const marker = { 'x-amz-delete-marker': 'true', 'x-amz-version-id': found.version };
    if (request.method === 'HEAD') throw new EmptyAnswer(versionId === null ? 404 : 405, marker);
    for (const [name, value] of Object.entries(marker)) call.response.setHeader(name, value);
  }
  const record = findObject(call, bucket, key, versionId);
  return { record, customerKey: parseCustomerKey(request.headers, request.secure) };
}

function select(call: Call, record: StoredObject): Selection {
  const { room, request } = call;
  const partNumber = request.query.get('partNumber');
  const whole = { start: 0, length: record.size };
  if (partNumber !== null) {
    if (request.headers.range !== undefined) throw invalidRequest('Cannot specify both Range header and partNumber query parameter');
    return selectPart(room.segments.of(record.id), record, partNumber, room.limits.maxParts);
  }
  const range = rangeHolds(request.headers, record) ? parseRange(request.headers.range, record.size) : null;
  return { range: range ?? whole, partial: range !== null, part: null };
}

function selectPart(
  segments: { size: number; checksum: StoredObject['checksum'] }[],
  record: StoredObject,
  text: string,
  maxParts: number,
): Selection {
  const number = /^\d+$/.test(text) ? Number(text) : 0;
  if (number < 1 || number > maxParts) {
    throw invalidArgument(`Part number must be an integer between 1 and ${maxParts}, inclusive`, 'partNumber', text);
  }
  const segment = segments[number - 1];
  if (!segment) {
    throw new AwsError(416, 'InvalidPartNumber', 'The requested partnumber is not satisfiable', {
      ActualPartCount: String(segments.length),
      PartNumberRequested: text,
    });
  }
  const start = segments.slice(0, number - 1).reduce((sum, { size }) => sum + size, 0);
  const checksum = record.parts === null ? record.checksum : record.checksum?.type === 'COMPOSITE' ? segment.checksum : null;
  const part = checksum && { ...checksum, type: record.checksum?.type ?? checksum.type };
  return { range: { start, length: segment.size }, partial: segment.size > 0, part: { checksum: part } };
}

function wantsChecksum({ request }: Call): boolean {
  return String(request.headers['x-amz-checksum-mode'] ?? '').toUpperCase() === 'ENABLED';
}

function answer(call: Call, record: StoredObject, customerKey: CustomerKey | null, { range, partial, part }: Selection) {
  const { room, request } = call;
  const headers: Record<string, string | number> = {
    'accept-ranges': 'bytes',
    'last-modified': httpDate(record.modified),
    etag: quoted(record.etag),
    ...answerHeaders(record.headers),
    ...encryptionHeaders(record.sealed, customerKey),
    'content-length': range.length,
  };
  if (partial) headers['content-range'] = contentRange(range, record.size);
  const checksum = part ? part.checksum : partial ? null : record.checksum;
  if (checksum && wantsChecksum(call)) Object.assign(headers, checksumHeaders(checksum));
  if (part && record.parts !== null) headers['x-amz-mp-parts-count'] = record.parts;
  if (room.buckets.get(call.bucket).settings.versioning) headers['x-amz-version-id'] = record.version;
  if (record.storage !== 'STANDARD') headers['x-amz-storage-class'] = record.storage;
  if (record.tags.length > 0 && mayKnow(call, 's3:GetObjectTagging', 's3:GetObjectVersionTagging'))
    headers['x-amz-tagging-count'] = record.tags.length;
  if (record.retention && mayKnow(call, 's3:GetObjectRetention')) {
    headers['x-amz-object-lock-mode'] = record.retention.mode;
    headers['x-amz-object-lock-retain-until-date'] = new Date(record.retention.until).toISOString();
  }
  for (const name of OVERRIDES) {
    const value = request.query.get(`response-${name}`);
    if (value !== null) headers[name] = value;
  }
  return headers;
}

/**
 * Some headers are for those alone who may ask for what they tell.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html#API_HeadObject_ResponseElements
 */
function mayKnow(call: Call, action: string, versionAction = action): boolean {
  const { request, bucket, key } = call;
  const versionId = request.query.get('versionId');
  return hasAccess(call, { action: versionId === null ? action : versionAction, bucket, key }, versionContext(request, versionId));
}
