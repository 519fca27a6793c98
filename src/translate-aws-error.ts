/** SDK errors → Sealdrop's codes: by name, where the call is made; what every service can say is known here. */
import { type ErrorCode, type ErrorObject, SealdropError } from './errors.ts';

/** An error's name → its code and what it means at that call. */
export type ErrorNames = Record<string, readonly [code: ErrorCode, meaning: string]>;

/** https://docs.aws.amazon.com/general/latest/gr/api-retries.html and each service's common errors */
const COMMON: ErrorNames = {
  SlowDown: ['throttled', 'S3 asks to slow down'],
  Throttling: ['throttled', 'the service throttles'],
  ThrottlingException: ['throttled', 'the service throttles'],
  ThrottledException: ['throttled', 'the service throttles'],
  TooManyRequestsException: ['throttled', 'the service throttles'],
  RequestLimitExceeded: ['throttled', 'the service throttles'],
  ProvisionedThroughputExceededException: ['throttled', 'the table throttles'],
  KMSThrottlingException: ['throttled', 'KMS throttles'],
  'KMS.ThrottlingException': ['throttled', 'KMS throttles'],
  TimeoutError: ['time-out', 'no answer in time'],
  AbortError: ['time-out', 'given up before the answer came'],
  RequestTimeout: ['time-out', 'the service waited too long for the request'],
  InternalError: ['service-unavailable', 'the service failed'],
  InternalServerError: ['service-unavailable', 'the service failed'],
  InternalServiceError: ['service-unavailable', 'the service failed'],
  ServiceUnavailable: ['service-unavailable', 'the service is unavailable'],
  LimitExceededException: ['quota', 'a quota of the account is used up'],
  ServiceQuotaExceededException: ['quota', 'a quota of the account is used up'],
  OverLimit: ['throttled', 'too many messages of the queue are in flight'],
  AccessDenied: ['access-denied', 'the function may not do this'],
  AccessDeniedException: ['access-denied', 'the function may not do this'],
  ExpiredToken: ['service-unavailable', "the function's credentials expired"],
  ExpiredTokenException: ['service-unavailable', "the function's credentials expired"],
};

/** Node's names for a connection that could not be made or did not hold. */
const NETWORK = new Set(['ECONNRESET', 'ECONNREFUSED', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH']);

/**
 * @param names what this call's own errors mean; looked at before the common ones
 * @returns a SealdropError whose message holds the service's own; `unknown` (retried until the queue gives up) for a name nobody listed
 */
export function translateAwsError(error: unknown, names: ErrorNames, object?: ErrorObject): SealdropError {
  if (error instanceof SealdropError) return error;
  const { name, message, code, status } = read(error);
  const known = names[name] ?? COMMON[name];
  if (known !== undefined) return new SealdropError(known[0], `${known[1]} (${name}: ${message})`, { object, cause: error });
  if (NETWORK.has(code)) return new SealdropError('service-unavailable', `the connection failed (${code})`, { object, cause: error });
  if (status >= 500) return new SealdropError('service-unavailable', `the service failed (${name}: ${message})`, { object, cause: error });
  return new SealdropError('unknown', `${name}: ${message}`, { object, cause: error });
}

/** The HTTP status of an SDK error; `undefined`: no answer came. */
export function statusOf(error: unknown): number | undefined {
  const status = member(member(error, '$metadata'), 'httpStatusCode');
  return typeof status === 'number' ? status : undefined;
}

function read(error: unknown): { name: string; message: string; code: string; status: number } {
  return {
    name: error instanceof Error ? error.name : 'Error',
    message: error instanceof Error ? error.message : String(error),
    code: String(member(error, 'code') ?? ''),
    status: statusOf(error) ?? 0,
  };
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && name in value ? Reflect.get(value, name) : undefined;
}
