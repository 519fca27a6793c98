/** The one error class and its closed set of codes. */

/** What each code means to the caller, to the queue and to the person who reads it. */
interface ErrorDefinition {
  /** `true`: the same request may succeed later by itself. `false`: somebody has to act first. */
  retryable: boolean;
  /** HTTP status when the failure reaches an API caller. */
  status: number;
  /** What to do, in one sentence. */
  nextStep: string;
}

const RETRIED = 'Nothing: it is retried with growing delays; once it is a dead letter, `sealdrop redrive`.';

const ERRORS = {
  // What was asked for
  'malformed-event': permanent(
    400,
    "Check who sends to the queue: it takes S3's own event notifications, directly, by SNS or, for the ingest bucket, by EventBridge.",
  ),
  'invalid-request': permanent(400, 'Correct the request as the detail says.'),
  unauthenticated: permanent(401, 'Send a valid token of the configured issuer as "Authorization: Bearer TOKEN".'),
  forbidden: permanent(403, 'Ask for an access rule in policy.yml that covers this action and key.'),
  'not-found': permanent(404, 'Check the key; list its prefix with GET /objects?prefix=.'),
  'policy-invalid': permanent(500, 'Correct policy.yml and package again.'),
  'config-invalid': permanent(500, 'Correct what the cause names, a setting or the bucket, and deploy again; then `sealdrop redrive`.'),

  // The source object
  'source-gone': permanent(404, 'Nothing to do if it was deleted on purpose; otherwise drop the file again.'),
  'source-changed': transient(409, 'Nothing: the event of the newer object encrypts it. If none came, drop the file again.'),
  'source-unreadable': permanent(
    403,
    'Give the encrypt function the right to read the source and to use its KMS key, then `sealdrop redrive`.',
  ),
  'source-kept': permanent(
    503,
    'The object is encrypted, its source is still there: give the encrypt function s3:DeleteObjectVersion on the ingest bucket, then redrive.',
  ),
  'metadata-not-copyable': permanent(
    422,
    'What is not copied by one call of S3 needs metadata and tags in one request of 8 KB, in ASCII: shorten or encode them, and drop the file again.',
  ),
  'too-large': permanent(413, 'S3 stores objects of up to 48.8 TiB: check who sent this event.'),
  'too-large-for-rule': permanent(
    413,
    'Raise upToMiB of the rule in policy.yml, or give objects of this size a server-side mode by a rule of their own, deploy, then `sealdrop redrive`.',
  ),
  'envelope-missing': transient(
    409,
    'Nothing at first: its instruction file may follow. If it lasts, the S3 Encryption Client did not write the source: drop the two again, the instruction file first, or give the source a rule without decrypt.',
  ),
  'source-not-decryptable': permanent(
    422,
    'Check that the Amazon S3 Encryption Client wrote the source, in a format and under a key that the rule takes; correct the rule or drop the file again.',
  ),

  // The way out
  'precondition-failed': permanent(412, 'The object is not, or no longer, as If-Match or If-Unmodified-Since say: fetch it anew.'),
  'range-not-satisfiable': permanent(416, 'Ask for a range within the length that Content-Range tells.'),
  'use-ranges': permanent(403, 'Ask for at most 200 MB at a time by Range: bytes=FIRST-LAST, or use `sealdrop get`, which does.'),

  // Keys
  'kms-key-disabled': permanent(503, 'Enable the KMS key, then `sealdrop redrive --code kms-key-disabled`.'),
  'kms-key-pending-deletion': permanent(503, 'Cancel the deletion and enable the KMS key, or change the rule, then `sealdrop redrive`.'),
  'kms-key-not-found': permanent(
    503,
    'Correct the key ARN in policy.yml: it must exist in the Region of the target bucket. Deploy, then `sealdrop redrive`.',
  ),
  'kms-key-denied': permanent(503, 'Allow the function on the KMS key, in the key policy and in its role, then `sealdrop redrive`.'),
  'customer-key-missing': permanent(
    503,
    'Restore the secret or the version that holds the customer key, then try again; dead letters by `sealdrop redrive`.',
  ),
  'customer-key-invalid': permanent(
    503,
    'Store 32 raw bytes, 64 hex digits, base64 of 32 bytes or 32 ASCII characters as the current version of the secret.',
  ),
  'customer-key-mismatch': permanent(
    503,
    'The object was encrypted under another customer key: restore the key version that its record names.',
  ),

  'wrapping-key-missing': permanent(
    503,
    'Restore the secret or the version that holds the wrapping key, then try again; dead letters by `sealdrop redrive`.',
  ),
  'wrapping-key-invalid': permanent(
    503,
    'Store 32 raw bytes, 64 hex digits, base64 of 32 bytes or 32 ASCII characters as the current version of the secret.',
  ),
  'wrapping-key-mismatch': permanent(503, 'The object was encrypted under another wrapping key: restore the key version that it names.'),
  'ciphertext-invalid': permanent(
    502,
    'What is stored is not, or not only, what was encrypted for this object: find out who wrote it, restore an older version, or drop the file again.',
  ),

  // The target
  'sse-c-blocked': permanent(503, "Set BlockedEncryptionTypes to NONE in the target bucket's encryption, then `sealdrop redrive`."),
  'target-denied': permanent(
    503,
    "Compare the target's bucket policy, which refuses what policy.yml does not name, and the function's role with the stack's template.",
  ),
  'target-changed': transient(409, 'Nothing: somebody wrote the object at the same time; it is looked at again.'),
  'newer-under-way': transient(409, 'Nothing: a newer state of the object is being encrypted, and this one waits for its end.'),
  'target-missing': permanent(503, 'Create the target bucket or correct TARGET_BUCKET, then `sealdrop redrive`.'),
  'access-denied': permanent(
    503,
    "Compare the function's role, the bucket's policy and its owner with the stack's template and parameters.",
  ),
  drift: permanent(
    502,
    'Find out who wrote the object; drop the file again so that it is encrypted as policy.yml says, or correct the rule.',
  ),
  'answer-mismatch': permanent(
    502,
    'What the target answers is not what was asked: check that it is Amazon S3 and that nothing rewrites its answers. Unless the cause says that nothing was stored, treat the object as exposed, and drop the file again: a redrive finds it recorded where another try went well.',
  ),

  quota: permanent(503, 'Raise the quota that the cause names, in Service Quotas, then redrive.'),

  // What heals by itself
  throttled: transient(503, RETRIED),
  'time-out': transient(504, RETRIED),
  'service-unavailable': transient(503, RETRIED),
  conflict: transient(409, RETRIED),
  'record-missing': transient(503, 'Nothing: the record follows its copy; after a while the write is recorded as it is.'),
  'audit-unavailable': transient(503, 'Nothing: it is retried; if it lasts, look at the audit table.'),
  unknown: transient(500, 'Look at the cause; it is retried until the queue gives up.'),
} as const satisfies Record<string, ErrorDefinition>;

/**
 * Where a signature does not match, services tell the whole request that they would have signed, the session token and the customer key with it.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html
 */
const SECRET_HEADERS = /(x-amz-(?:security-token|(?:copy-source-)?server-side-encryption-customer-key(?:-md5)?)[:=])[^\s\\'"&;]+/gi;

/** S3's members for it, of which the SDK makes members of its error: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html */
const SIGNED_REQUEST = ['CanonicalRequest', 'CanonicalRequestBytes', 'StringToSign', 'StringToSignBytes'];

export type ErrorCode = keyof typeof ERRORS;

/** Which object an error is about; never its bytes. */
export interface ErrorObject {
  bucket: string;
  key: string;
  versionId?: string | undefined;
}

/**
 * Any failure that Sealdrop knows by name. The message says what happened and never holds key material,
 * tokens or object bytes; `cause` holds the error it was translated from.
 */
export class SealdropError extends Error {
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly status: number;
  readonly nextStep: string;
  readonly object: ErrorObject | undefined;

  constructor(code: ErrorCode, message: string, options: { object?: ErrorObject | undefined; cause?: unknown } = {}) {
    super(withoutSecrets(message), options.cause === undefined ? undefined : { cause: options.cause });
    forgetSignedRequest(options.cause);
    this.name = 'SealdropError';
    this.code = code;
    this.retryable = ERRORS[code].retryable;
    this.status = ERRORS[code].status;
    this.nextStep = ERRORS[code].nextStep;
    this.object = options.object;
  }
}

export const ERROR_CODES = Object.keys(ERRORS) as ErrorCode[];

/** The HTTP status under which an API caller meets it. */
export const statusOfCode = (code: ErrorCode): number => ERRORS[code].status;

/** Gives a SealdropError as it is, with its object if it names none, and wraps anything else as `unknown`. */
export function asSealdropError(error: unknown, object?: ErrorObject): SealdropError {
  if (error instanceof SealdropError) {
    // What failed before any object was asked about, a key say, is still about this one.
    return error.object !== undefined || object === undefined
      ? error
      : new SealdropError(error.code, error.message, { object, cause: error });
  }
  return new SealdropError('unknown', error instanceof Error ? `${error.name}: ${error.message}` : String(error), { object, cause: error });
}

/** Whoever prints a failure prints its causes too. */
function forgetSignedRequest(cause: unknown): void {
  if (!(cause instanceof Error)) return;
  for (const name of SIGNED_REQUEST) Reflect.deleteProperty(cause, name);
  for (const name of ['message', 'stack']) {
    const text: unknown = Reflect.get(cause, name);
    if (typeof text === 'string' && withoutSecrets(text) !== text) Reflect.set(cause, name, withoutSecrets(text));
  }
}

function withoutSecrets(text: string): string {
  return text.replace(SECRET_HEADERS, '$1(left out)');
}

function permanent<S extends number>(status: S, nextStep: string) {
  return { retryable: false, status, nextStep };
}

function transient<S extends number>(status: S, nextStep: string) {
  return { retryable: true, status, nextStep };
}
