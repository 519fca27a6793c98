/** Objects that were encrypted before S3 saw them: opened here, so that whoever reads them is told of the plaintext alone. */
import type { Readable } from 'node:stream';
import type { ObjectRecord, ObjectRecords } from './audit/object-record.ts';
import { type ClientSideMode, codedMode, isClientSideMode } from './encryption/index.ts';
import {
  byteReader,
  type FrameSpan,
  finalFrame,
  framesOf,
  type MessageHead,
  type OpeningKeys,
  plaintextBytes,
  readHead,
  unlock,
  wrappedUnder,
} from './envelope/index.ts';
import { SealdropError } from './errors.ts';
import { flowing } from './flowing.ts';
import { type ByteRange, satisfiedRange } from './http/range.ts';
import { possibleModes } from './policy/possible.ts';
import type { Policy } from './policy/schema.ts';
import type { Recent } from './recent.ts';
import { KeyRefused, letGo, type OpenedObject, openStored, type ReadRequest, type ReadResult, type StoredDeps } from './stored-object.ts';

export interface Opening {
  /** What opens messages of a mode. */
  keysFor(mode: ClientSideMode): OpeningKeys;
  /** Objects that were read a moment ago; no secret is among it. */
  known: Recent<KnownEnvelope>;
}

interface Deps extends StoredDeps {
  opening: Opening;
  records: Pick<ObjectRecords, 'find' | 'wasClaimed' | 'knowsMessage'>;
  policy: Policy;
}

/** All that is needed to go straight to the frames of a range. */
export interface KnownEnvelope {
  mode: ClientSideMode;
  head: MessageHead;
  /** Of this state of the object, with quotes. */
  etag: string;
  /** Bytes of the plaintext. */
  size: number;
  messageBytes: number;
  /** `null`: it is not recorded yet. */
  record: ObjectRecord | null;
}

/** Most headers are shorter; where one is not, all that it can have is asked for. */
const FIRST_BYTES = [4 * 1024, 64 * 1024];

/**
 * What S3 holds must be what is recorded: the id of a message is authenticated, so that no other can stand in for it. Where there is no record
 * yet, a copy must have been under way, the message must name its object itself and be none that another version is recorded to be, and its last
 * frame is looked at before anything is said of its length.
 * @param stored as S3 gave it
 * @returns `null`: the range begins behind the plaintext's end; what is recorded as none of ours is given as it is
 * @throws SealdropError `ciphertext-invalid`, `record-missing`, of the wrapping key, or what S3's refusal means
 */
export async function readEnvelope(stored: ReadResult, mode: ClientSideMode, request: ReadRequest, deps: Deps): Promise<ReadResult | null> {
  const { object } = stored;
  try {
    // Nobody may be reading when it breaks.
    object.body?.on('error', () => {});
    const record = await recordOf(object, request, deps);
    // Some application's own Content-Encoding, copied with the rest.
    if (record !== null && record.envelope === undefined) return stored;
    const isWhole = request.purpose === 'read' && request.range === null;
    return isWhole ? await readWhole(stored, mode, record, request, deps) : await readPart(stored, mode, record, request, deps);
  } catch (error) {
    object.body?.destroy();
    throw error;
  }
}

/**
 * A further range of what was read a moment ago, by one call of S3.
 * @returns `undefined`: nothing is known of it, or it is not as it was
 */
export async function readKnownEnvelope(request: ReadRequest, deps: Deps): Promise<ReadResult | undefined> {
  const known = deps.opening.known.get(nameOf(request));
  if (known === undefined || request.purpose === 'inspect' || request.range === null) return undefined;
  const range = satisfiedRange(request.range, known.size);
  if (range === null) return undefined;
  try {
    return await readFrames(known, { etag: known.etag, versionId: request.versionId }, range, request, deps);
  } catch (error) {
    if (error instanceof KeyRefused || (error instanceof SealdropError && error.code === 'conflict')) return undefined;
    throw error;
  }
}

/** The header is read off the stream, and the rest as it is asked for. */
async function readWhole(
  stored: ReadResult,
  mode: ClientSideMode,
  record: ObjectRecord | null,
  request: ReadRequest,
  deps: Deps,
): Promise<ReadResult> {
  const { object } = stored;
  const body = bodyOf(object);
  const reader = byteReader(body);
  const known = recognised(mode, await readHead(reader), object, record, request, deps);
  if (record === null) await proveUnrecorded(known, object, request, deps);
  const message = await unlock(known.head, contextOf(known, request, deps), deps.opening.keysFor(mode));
  deps.opening.known.put(nameOf(request), known);
  return opened(object, known, null, flowing(message.plaintext(reader), body));
}

/** One range, or nothing but what is to be told of the object. */
async function readPart(
  { object }: ReadResult,
  mode: ClientSideMode,
  record: ObjectRecord | null,
  request: ReadRequest,
  deps: Deps,
): Promise<ReadResult | null> {
  // Whatever bytes of the message these are, they are not those that are needed.
  letGo(object);
  const known = recognised(mode, await fetchHead(object, request, deps), object, record, request, deps);
  if (record === null) await proveUnrecorded(known, object, request, deps);
  deps.opening.known.put(nameOf(request), known);
  if (request.purpose === 'inspect') return opened(object, known, null, null);
  const range = request.range === null ? null : satisfiedRange(request.range, known.size);
  return range === null ? null : readFrames(known, stateOf(object), range, request, deps);
}

async function readFrames(known: KnownEnvelope, state: State, range: ByteRange, request: ReadRequest, deps: Deps): Promise<ReadResult> {
  const span = framesOf(known.head.layout, range, known.messageBytes);
  const object = await fetchSpan(state, span.bytes, request, deps);
  const body = bodyOf(object);
  try {
    const message = await unlock(known.head, contextOf(known, request, deps), deps.opening.keysFor(known.mode));
    const plaintext = cut(message.frames(byteReader(body), span), range.first - span.plaintextBefore, range.last - range.first + 1);
    return opened(object, known, range, flowing(plaintext, body));
  } catch (error) {
    body.destroy();
    throw error;
  }
}

/** @throws SealdropError `ciphertext-invalid`: nobody was copying it, or it is another version's, brought back; or it is not whole */
async function proveUnrecorded(known: KnownEnvelope, object: OpenedObject, request: ReadRequest, deps: Deps): Promise<void> {
  const { targetBucket: bucket, records } = deps;
  const { key } = request;
  if (!(await isUnderWay(object, request, deps)))
    throw foreign(bucket, key, 'nothing is recorded of this version, and no copy was under way');
  if (await records.knowsMessage(bucket, key, known.head.messageId)) throw foreign(bucket, key, 'it is the message of another version');
  await proveEnd(known, stateOf(object), request, deps);
}

/**
 * For an object that S3 alone encrypted: where policy may mean a message, it must be recorded as what it is.
 * @throws SealdropError `ciphertext-invalid`, or `record-missing` while a copy is under way
 */
export async function requireUnsealed({ object }: ReadResult, request: ReadRequest, deps: Deps): Promise<void> {
  const modes = [...possibleModes(deps.policy, request.key)];
  if (!modes.some(isClientSideMode)) return;
  const record = await recordOf(object, request, deps);
  const { targetBucket: bucket } = deps;
  const { key } = request;
  if (record?.envelope !== undefined) throw foreign(bucket, key, 'it is recorded as a message, and is none');
  if (record !== null || !modes.every(isClientSideMode)) return;
  if (!(await isUnderWay(object, request, deps)))
    throw foreign(bucket, key, 'policy.yml has messages alone there, and nothing is recorded of it');
  throw new SealdropError('record-missing', 'nothing is recorded yet of an object that is no message', { object: { bucket, key } });
}

function isUnderWay({ lastModified }: OpenedObject, { key }: ReadRequest, { records, targetBucket }: Deps): Promise<boolean> {
  return records.wasClaimed(targetBucket, key, (lastModified ?? new Date(0)).toISOString());
}

function foreign(bucket: string, key: string, message: string): SealdropError {
  return new SealdropError('ciphertext-invalid', message, { object: { bucket, key } });
}

/** Without it a message that was cut between two frames would only look shorter. */
async function proveEnd(known: KnownEnvelope, state: State, request: ReadRequest, deps: Deps): Promise<void> {
  const span: FrameSpan = finalFrame(known.head.layout, known.messageBytes);
  const body = bodyOf(await fetchSpan(state, span.bytes, request, deps));
  try {
    const message = await unlock(known.head, contextOf(known, request, deps), deps.opening.keysFor(known.mode));
    for await (const _ of message.frames(byteReader(body), span));
  } finally {
    body.destroy();
  }
}

async function fetchHead(object: OpenedObject, request: ReadRequest, deps: Deps): Promise<MessageHead> {
  const { size } = object;
  for (const bytes of FIRST_BYTES) {
    const body = bodyOf(await fetchSpan(stateOf(object), { first: 0, last: Math.min(bytes, size) - 1 }, request, deps));
    try {
      return await readHead(byteReader(body));
    } catch (error) {
      if (bytes >= size || bytes === FIRST_BYTES.at(-1)) throw error;
    } finally {
      body.destroy();
    }
  }
  throw new SealdropError('ciphertext-invalid', 'the message has no end of a header');
}

/** A state of the message: by its version where there is one, so that nothing newer comes between two calls. */
interface State {
  /** With quotes. */
  etag: string;
  versionId?: string | undefined;
}

function stateOf({ etag = '', versionId }: OpenedObject): State {
  return { etag, versionId: versionId === 'null' ? undefined : versionId };
}

async function fetchSpan({ etag, versionId }: State, bytes: ByteRange, { key }: ReadRequest, deps: Deps): Promise<OpenedObject> {
  const range = { first: bytes.first, last: bytes.last };
  const version = versionId === undefined ? {} : { versionId };
  const part = await openStored(null, { key, purpose: 'read', range, ifMatch: etag, ...version }, deps);
  if (part === null) throw new SealdropError('ciphertext-invalid', 'the message is empty');
  return part.object;
}

/** @throws SealdropError where the message is not what is recorded, or could be no message of this object's */
function recognised(
  mode: ClientSideMode,
  head: MessageHead,
  { size: messageBytes, etag }: OpenedObject,
  record: ObjectRecord | null,
  { key }: ReadRequest,
  { targetBucket }: Deps,
): KnownEnvelope {
  const object = { bucket: targetBucket, key };
  const invalid = (message: string) => new SealdropError('ciphertext-invalid', message, { object });
  const size = plaintextBytes(head.layout, messageBytes);
  if (etag === undefined || size === null || head.signed) throw invalid(`${messageBytes} bytes are no message of Sealdrop's`);
  const envelope = record?.envelope;
  if (record === null && head.context.key === undefined) {
    const message = 'the message does not name its object, and nothing is recorded of it that would';
    throw new SealdropError('record-missing', message, { object });
  }
  if (envelope !== undefined && head.messageId !== envelope.messageId) throw invalid('it is another message than was recorded');
  if (envelope !== undefined && (messageBytes !== envelope.messageBytes || size !== record?.size)) {
    throw invalid(`the message has ${messageBytes} bytes; ${envelope.messageBytes} were recorded`);
  }
  return { mode, head, etag, size, messageBytes, record };
}

/** What the message must say that it is for. */
function contextOf({ head }: KnownEnvelope, { key }: ReadRequest, { targetBucket: bucket }: Deps): Record<string, string> {
  return { sealdrop: 'cse', bucket, ...(head.context.key === undefined ? {} : { key }) };
}

/** A version's record never changes. */
async function recordOf({ versionId, etag = '' }: OpenedObject, request: ReadRequest, deps: Deps): Promise<ObjectRecord | null> {
  const known = deps.opening.known.get(nameOf(request));
  if (known !== undefined && known.etag === etag && known.record !== null) return known.record;
  const stored = { etag: etag.replaceAll('"', ''), ...(versionId === undefined ? {} : { versionId }) };
  return deps.records.find(deps.targetBucket, request.key, stored);
}

/** All that S3 says of the message, said of the plaintext. */
function opened(
  object: OpenedObject,
  { mode, head, size, record }: KnownEnvelope,
  range: ByteRange | null,
  body: Readable | null,
): ReadResult {
  return {
    object: {
      ...object,
      mode,
      size,
      contentLength: range === null ? size : range.last - range.first + 1,
      contentEncoding: codedMode(object.contentEncoding)?.contentEncoding,
      checksum: range === null ? (record?.envelope?.plaintextChecksum ?? null) : null,
      range,
      body,
    },
    encryption: { mode, ...wrappedUnder(head) },
  };
}

async function* cut(plaintext: AsyncGenerator<Buffer>, skipped: number, length: number): AsyncGenerator<Buffer> {
  let at = 0;
  for await (const chunk of plaintext) {
    const wanted = chunk.subarray(Math.max(0, skipped - at), Math.max(0, skipped + length - at));
    at += chunk.length;
    if (wanted.length > 0) yield wanted;
  }
}

function bodyOf({ body }: OpenedObject): Readable {
  if (body === null) throw new SealdropError('service-unavailable', 'S3 answered without a body');
  return body;
}

const nameOf = ({ key, versionId = '' }: ReadRequest) => `${versionId}/${key}`;
