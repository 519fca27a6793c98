/** Content-MD5 and checksums of a body: what the client claims, what arrived, and what is kept. */
import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { AwsError } from '../../aws-error.ts';
import type { WireRequest } from '../../service.ts';
import {
  CHECKSUM_ALGORITHMS,
  CHECKSUMS,
  type ChecksumAlgorithm,
  checksumHeader,
  type Digest,
  isChecksumAlgorithm,
} from '../checksum/algorithm.ts';
import { invalidRequest, notImplemented, severalChecksums } from '../errors.ts';
import { collect } from './body.ts';

/** What S3 computes when the client names no algorithm. */
export const DEFAULT_ALGORITHM: ChecksumAlgorithm = 'CRC64NVME';
/** Newer ones, which this sandbox does not compute. */
const UNKNOWN_HEADERS = ['sha512', 'md5', 'xxhash64', 'xxhash3', 'xxhash128'].map((name) => `x-amz-checksum-${name}`);
const MD5_BYTES = 16;

export interface Claim {
  /** `null`: the client sent no checksum. */
  algorithm: ChecksumAlgorithm | null;
  /** `null`: it follows in the trailer (or there is none). */
  value: string | null;
  contentMd5: string | null;
}

/** Of bytes that no client sent. */
export const NO_CLAIM: Claim = { algorithm: null, value: null, contentMd5: null };

export interface Integrity {
  update(bytes: Buffer): void;
  /** After the body. Throws AwsError when a claim is not true. */
  finish(trailers: Record<string, string>): Measured;
}

export interface Measured {
  md5: Buffer | null;
  /** Base64 by algorithm. */
  checksums: Map<ChecksumAlgorithm, string>;
}

/**
 * Reads the claims of a request. Throws AwsError for malformed and contradicting ones, 501 for algorithms that the sandbox lacks.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html
 */
export function parseClaim(headers: IncomingHttpHeaders): Claim {
  const contentMd5 = parseContentMd5(headers['content-md5']);
  const trailer = String(headers['x-amz-trailer'] ?? '').toLowerCase();
  for (const name of UNKNOWN_HEADERS) {
    if (headers[name] !== undefined || trailer === name) throw notImplemented(`the header ${name}`);
  }
  const given = CHECKSUM_ALGORITHMS.filter((algorithm) => headers[checksumHeader(algorithm)] !== undefined);
  const trailing = CHECKSUM_ALGORITHMS.filter((algorithm) => trailer === checksumHeader(algorithm));
  if (trailer !== '' && trailing.length === 0) throw invalidRequest('The value specified in the x-amz-trailer header is not supported');
  if (given.length + trailing.length > 1) throw severalChecksums();
  const algorithm = given[0] ?? trailing[0] ?? null;
  const declared = headers['x-amz-sdk-checksum-algorithm'];
  if (typeof declared === 'string') {
    if (!isChecksumAlgorithm(declared.toUpperCase())) throw unsupportedAlgorithm();
    if (algorithm === null) {
      throw invalidRequest(
        'x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.',
      );
    }
    if (declared.toUpperCase() !== algorithm) throw invalidRequest('Value for x-amz-sdk-checksum-algorithm header is invalid.');
  }
  const value = given[0] ? checkedValue(given[0], String(headers[checksumHeader(given[0])])) : null;
  return { algorithm, value, contentMd5 };
}

/** Measures a body as it passes: the claimed checksum, Content-MD5, and whatever else is wanted of it. */
export function measure(claim: Claim, wanted: { md5: boolean; algorithm: ChecksumAlgorithm | null }): Integrity {
  const algorithms = new Set([wanted.algorithm, claim.algorithm].filter((algorithm) => algorithm !== null));
  const digests = [...algorithms].map((algorithm): [ChecksumAlgorithm, Digest] => [algorithm, CHECKSUMS[algorithm].start()]);
  const md5 = wanted.md5 || claim.contentMd5 !== null ? createHash('md5') : null;
  return {
    update(bytes) {
      md5?.update(bytes);
      for (const [, digest] of digests) digest.update(bytes);
    },
    finish(trailers) {
      const measured: Measured = {
        md5: md5?.digest() ?? null,
        checksums: new Map(digests.map(([algorithm, digest]) => [algorithm, digest.digest().toString('base64')])),
      };
      verify(claim, measured, trailers);
      return measured;
    },
  };
}

/** Reads a request's whole body, which must be small, and checks its claims. Throws AwsError. */
export async function collectVerified(request: WireRequest, maxBytes: number): Promise<Buffer> {
  const claim = parseClaim(request.headers);
  const body = await collect(request.body, maxBytes);
  const integrity = measure(claim, { md5: false, algorithm: claim.algorithm });
  integrity.update(body);
  integrity.finish(request.trailers);
  return body;
}

/** Throws AwsError when a client names an algorithm that S3 does not know. */
export function parseAlgorithm(header: string | string[] | undefined): ChecksumAlgorithm | null {
  if (header === undefined) return null;
  const name = String(header).toUpperCase();
  if (!isChecksumAlgorithm(name)) throw unsupportedAlgorithm();
  return name;
}

/** Throws AwsError when `value` is not base64 of the algorithm's length. */
export function checkedValue(algorithm: ChecksumAlgorithm, value: string): string {
  const bytes = Buffer.from(value, 'base64');
  if (bytes.length !== CHECKSUMS[algorithm].bytes || bytes.toString('base64') !== value) {
    throw invalidRequest(`Value for ${checksumHeader(algorithm)} header is invalid.`);
  }
  return value;
}

function verify(claim: Claim, measured: Measured, trailers: Record<string, string>): void {
  if (claim.contentMd5 !== null && measured.md5 && claim.contentMd5 !== measured.md5.toString('base64')) {
    throw new AwsError(400, 'BadDigest', 'The Content-MD5 you specified did not match what we received.', {
      ExpectedDigest: claim.contentMd5,
      CalculatedDigest: measured.md5.toString('base64'),
    });
  }
  if (claim.algorithm === null) return;
  const trailing = trailers[checksumHeader(claim.algorithm)];
  if (claim.value === null && trailing === undefined) {
    const message = 'The request contained trailing data that was not well-formed or did not conform to our published schema.';
    throw new AwsError(400, 'MalformedTrailerError', message);
  }
  const claimed = claim.value ?? checkedValue(claim.algorithm, trailing ?? '');
  if (claimed !== measured.checksums.get(claim.algorithm)) {
    throw new AwsError(400, 'BadDigest', `The ${claim.algorithm} you specified did not match the calculated checksum.`);
  }
}

function parseContentMd5(header: string | string[] | undefined): string | null {
  if (header === undefined) return null;
  const value = String(header);
  const bytes = Buffer.from(value, 'base64');
  if (bytes.length !== MD5_BYTES || bytes.toString('base64') !== value) {
    throw new AwsError(400, 'InvalidDigest', 'The Content-MD5 you specified was invalid.', { 'Content-MD5': value });
  }
  return value;
}

function unsupportedAlgorithm(): AwsError {
  return invalidRequest(
    `Checksum algorithm provided is unsupported. Please try again with any of the valid types: [${CHECKSUM_ALGORITHMS.join(', ')}]`,
  );
}
