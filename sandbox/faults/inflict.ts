/** Faults of calls on the wire. */
import type { ServerResponse } from 'node:http';
import { AwsError } from '../aws-error.ts';
import type { WireRequest } from '../service.ts';
import { s3ErrorXml } from '../wire/error-response.ts';
import { answerNobody, cut, cutMidBody, pace } from './answer.ts';
import { answerWrongChecksums } from './checksum.ts';
import type { UnencryptedUploads } from './encryption.ts';
import type { Patience } from './patience.ts';
import type { FaultOf } from './plan.ts';
import type { Decision } from './rules.ts';
import { handBackHalf } from './unprocessed.ts';

export interface Stage {
  operation: string;
  request: WireRequest;
  response: ServerResponse;
  /** Does what was asked, and answers. */
  work(): Promise<void>;
  /** Ends the environment that sent the request. */
  kill(): void;
  /** Of an object that is copied without its passing by; `null` for requests that copy none. */
  copiedBytes(): number | null;
  uploads: UnencryptedUploads;
  patience: Patience;
}

/** Runs a call with its fault. Throws the AwsError that is to be answered. */
export async function inflict(fault: Decision['fault'], stage: Stage): Promise<void> {
  const { operation, request, response, work, kill, uploads } = stage;
  if (fault === null) {
    if (uploads.has(request)) uploads.ignore(operation, 'silent', request, response);
    return work();
  }
  switch (fault.kind) {
    case 'error':
      throw new AwsError(fault.status, fault.code, fault.message ?? 'A fault plan asked for this error.');
    case 'reset':
      if (fault.when === 'before') return cut(response);
      if (fault.when === 'after') answerNobody(response, () => {});
      else cutMidBody(response);
      return work();
    case 'kill':
      if (fault.when === 'after') {
        answerNobody(response, kill);
        return work();
      }
      kill();
      return cut(response);
    case 'error-in-200': {
      const error = new AwsError(200, fault.code, fault.message ?? 'A fault plan asked for this error.');
      const body = s3ErrorXml(error, request.requestId);
      response.writeHead(200, { 'content-type': 'application/xml', 'content-length': Buffer.byteLength(body) });
      response.end(body);
      return;
    }
    case 'ignore-encryption':
      uploads.ignore(operation, fault.answer, request, response);
      return work();
    case 'wrong-checksum':
      answerWrongChecksums(response);
      return work();
    case 'unprocessed':
      await handBackHalf(request, response);
      return work();
    default:
      return fault satisfies never;
  }
}

/**
 * Waits as long as the rules say, before the work: what a slow server does is seen when it is done. Bytes that come back are held
 * back as they go out.
 * @returns false when the sandbox stops: the work must not be done any more
 */
export async function slowDown(slow: readonly FaultOf<'slow'>[], { request, response, copiedBytes, patience }: Stage): Promise<boolean> {
  if (slow.length === 0) return true;
  const moved = copiedBytes() ?? request.contentLength ?? 0;
  const duration = (bytes: number) =>
    slow.reduce((sum, { bytesPerSecond }) => sum + (bytesPerSecond ? (bytes / bytesPerSecond) * 1000 : 0), 0);
  const latency = slow.reduce((sum, { latencyMs = 0 }) => sum + latencyMs, 0);
  if (slow.some(({ bytesPerSecond }) => bytesPerSecond !== undefined)) pace(response, (bytes) => patience.wait(duration(bytes)));
  return patience.wait(latency + duration(moved));
}
