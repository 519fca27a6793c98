/** From a request to the operation it asks for. */
import { AwsError } from '../aws-error.ts';
import type { WireRequest } from '../service.ts';
import { COPY, type Definition, type Level, PART_COPY } from './definition.ts';
import { notImplemented } from './errors.ts';
import type { Limits } from './limits.ts';
import { OPERATIONS, type Operation } from './operations.ts';

const VIRTUAL_HOST_SUFFIX = '.localhost';
/** Parameters that name an operation of S3, also those that this sandbox does not have. */
const SUBRESOURCES = new Set([
  ...Object.values<Definition>(OPERATIONS).map(({ subresource }) => subresource),
  ...['accelerate', 'acl', 'analytics', 'annotation', 'append', 'cors', 'intelligent-tiering', 'inventory', 'legal-hold', 'logging'],
  ...['abac', 'metadataConfiguration', 'metadataTable', 'metrics', 'policyStatus', 'renameObject', 'replication', 'requestPayment'],
  ...['restore', 'retention', 'select', 'session', 'torrent', 'website'],
]);
/** Who asked (`x-id` is the SDK's note to itself). */
const IGNORED_PARAMETERS = ['x-id'];
const BY_ADDRESS = new Map(
  Object.entries<Definition>(OPERATIONS).map(([name, { method, level, subresource }]) => [
    address(method, level, subresource),
    name as Operation,
  ]),
);

export interface Target {
  bucket: string;
  key: string;
}

/**
 * Bucket and key of a request, path-style (`/bucket/key`) or virtual-hosted (`bucket.localhost`). The key is decoded exactly once.
 * Throws AwsError when the path is not UTF-8 in percent-encoding, or the key too long or climbing out of its bucket.
 */
export function locate({ rawPath, headers }: WireRequest, limits: Limits): Target {
  const host = (headers.host ?? '').replace(/:\d+$/, '');
  const hosted = host.endsWith(VIRTUAL_HOST_SUFFIX) ? host.slice(0, -VIRTUAL_HOST_SUFFIX.length) : null;
  const path = rawPath.startsWith('/') ? rawPath.slice(1) : rawPath;
  const slash = path.indexOf('/');
  const [rawBucket, rawKey] = hosted !== null ? [hosted, path] : slash === -1 ? [path, ''] : [path.slice(0, slash), path.slice(slash + 1)];
  const key = decode(rawKey);
  if (Buffer.byteLength(key) > limits.maxKeyBytes) {
    const detail = { Size: String(Buffer.byteLength(key)), MaxSizeAllowed: String(limits.maxKeyBytes) };
    throw new AwsError(400, 'KeyTooLongError', 'Your key is too long', detail);
  }
  if (climbsOut(key)) throw new AwsError(400, 'InvalidURI', "Couldn't parse the specified URI.");
  return { bucket: decode(rawBucket), key };
}

/** Throws AwsError 501 for operations, parameters and headers that the sandbox lacks. */
export function detect({ method, query, headers }: WireRequest, { bucket, key }: Target): { name: Operation; definition: Definition } {
  const level: Level = bucket === '' ? 'service' : key === '' ? 'bucket' : 'object';
  const subresource = [...query.keys()].find((name) => SUBRESOURCES.has(name)) ?? '';
  const copies = level === 'object' && method === 'PUT' && headers['x-amz-copy-source'] !== undefined;
  const name = BY_ADDRESS.get(address(method, level, copies ? copying(subresource) : subresource));
  if (name === undefined) throw notImplemented(`${method} of ${withArticle(level)}${subresource === '' ? '' : ` with ?${subresource}`}`);
  const definition: Definition = OPERATIONS[name];
  for (const parameter of query.keys()) {
    const known = parameter === subresource || IGNORED_PARAMETERS.includes(parameter) || definition.query.includes(parameter);
    if (!known) throw notImplemented(`the parameter ${parameter} of ${name}`);
  }
  const refused = definition.refusedHeader(headers);
  if (refused !== null) throw notImplemented(`the header ${refused} of ${name}`);
  return { name, definition };
}

function address(method: string, level: Level, subresource: string): string {
  return `${method} ${level} ${subresource}`;
}

/** What the header `x-amz-copy-source` makes of a write. */
function copying(subresource: string): string {
  return subresource === '' ? COPY : subresource === 'uploadId' ? PART_COPY : subresource;
}

function decode(raw: string): string {
  try {
    return decodeURIComponent(raw);
  } catch {
    throw new AwsError(400, 'InvalidURI', "Couldn't parse the specified URI.");
  }
}

function withArticle(level: Level): string {
  return level === 'object' ? 'an object' : level === 'bucket' ? 'a bucket' : 'the service';
}

/**
 * Read from the left, `..` may never outnumber the other segments before it. The code of the refusal is unverified.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
 */
function climbsOut(key: string): boolean {
  let depth = 0;
  for (const segment of key.split('/')) {
    depth += segment === '..' ? -1 : 1;
    if (depth < 0) return true;
  }
  return false;
}
