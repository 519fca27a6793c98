/** Why a signature was refused, in the words of the protocol that asked. */
import { AwsError } from '../aws-error.ts';
import type { Protocol } from './protocol.ts';

export type Refusal =
  | { kind: 'malformed'; reason: string }
  | { kind: 'wrong-region'; region: string; expected: string }
  | { kind: 'unknown-key'; accessKeyId: string }
  | { kind: 'wrong-token' }
  | { kind: 'skewed'; requestTime: string; serverTime: string; early: boolean }
  | { kind: 'mismatch'; accessKeyId: string; stringToSign: string; signature: string }
  | { kind: 'unsigned-headers'; names: string[] }
  | { kind: 'missing' };

/** Largest difference between the clocks of both sides, as AWS allows it. */
export const MAX_SKEW_MS = 15 * 60 * 1000;

/** Signature Version 2, say, which no Region and no bucket takes that is younger than its end. */
export const unsupportedMechanism = (): AwsError =>
  new AwsError(400, 'InvalidRequest', 'The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.');

/** The answer to a refused signature. Never holds the canonical request: it contains tokens and customer keys. */
export function refuse(protocol: Protocol, refusal: Refusal): AwsError {
  return protocol === 'rest-xml' ? refuseS3(refusal) : refuseService(protocol, refusal);
}

/** @see https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#ErrorCodeList */
function refuseS3(refusal: Refusal): AwsError {
  switch (refusal.kind) {
    case 'malformed':
      return new AwsError(400, 'AuthorizationHeaderMalformed', `The authorization header is malformed; ${refusal.reason}`);
    case 'wrong-region':
      return new AwsError(
        400,
        'AuthorizationHeaderMalformed',
        `The authorization header is malformed; the region '${refusal.region}' is wrong; expecting '${refusal.expected}'`,
        { Region: refusal.expected },
      );
    case 'unknown-key':
      return new AwsError(403, 'InvalidAccessKeyId', 'The AWS Access Key Id you provided does not exist in our records.', {
        AWSAccessKeyId: refusal.accessKeyId,
      });
    case 'wrong-token':
      return new AwsError(400, 'InvalidToken', 'The provided token is malformed or otherwise invalid.');
    case 'skewed':
      return new AwsError(403, 'RequestTimeTooSkewed', 'The difference between the request time and the current time is too large.', {
        RequestTime: refusal.requestTime,
        ServerTime: refusal.serverTime,
        MaxAllowedSkewMilliseconds: String(MAX_SKEW_MS),
      });
    case 'mismatch':
      return new AwsError(
        403,
        'SignatureDoesNotMatch',
        'The request signature we calculated does not match the signature you provided. Check your key and signing method.',
        { AWSAccessKeyId: refusal.accessKeyId, StringToSign: refusal.stringToSign, SignatureProvided: refusal.signature },
      );
    case 'unsigned-headers':
      return new AwsError(403, 'AccessDenied', 'There were headers present in the request which were not signed', {
        HeadersNotSigned: refusal.names.join(', '),
      });
    case 'missing':
      return new AwsError(403, 'AccessDenied', 'Access Denied');
    default:
      return refusal satisfies never;
  }
}

/** The query protocol answers 403 with the codes of IAM's common errors, JSON services 400 with `…Exception`, REST JSON 403 with those. */
function refuseService(protocol: Exclude<Protocol, 'rest-xml'>, refusal: Refusal): AwsError {
  const status = protocol === 'json' ? 400 : 403;
  const error = (queryCode: string, jsonCode: string, message: string) =>
    new AwsError(status, protocol === 'query' ? queryCode : jsonCode, message);
  switch (refusal.kind) {
    case 'malformed':
    case 'unsigned-headers': {
      const reason = refusal.kind === 'malformed' ? refusal.reason : `These headers must be signed: ${refusal.names.join(', ')}.`;
      return error('IncompleteSignature', 'IncompleteSignatureException', reason);
    }
    case 'wrong-region':
      return error(
        'SignatureDoesNotMatch',
        'InvalidSignatureException',
        `Credential should be scoped to a valid region, not '${refusal.region}'. `,
      );
    case 'unknown-key':
    case 'wrong-token':
      return error('InvalidClientTokenId', 'UnrecognizedClientException', 'The security token included in the request is invalid.');
    case 'skewed': {
      const limit = `${refusal.serverTime} ${refusal.early ? '+' : '-'} 15 min.`;
      const message = refusal.early
        ? `Signature not yet current: ${refusal.requestTime} is still later than ${limit}`
        : `Signature expired: ${refusal.requestTime} is now earlier than ${limit}`;
      return error('SignatureDoesNotMatch', 'InvalidSignatureException', message);
    }
    case 'mismatch':
      return error(
        'SignatureDoesNotMatch',
        'InvalidSignatureException',
        'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.',
      );
    case 'missing':
      return error('MissingAuthenticationToken', 'MissingAuthenticationTokenException', 'Missing Authentication Token');
    default:
      return refusal satisfies never;
  }
}
