/** What `sealdrop encrypt` and `sealdrop decrypt` are both asked. */

export const SHARED_OPTIONS = {
  mode: { type: 'string' },
  'kms-key': { type: 'string', multiple: true },
  secret: { type: 'string' },
  context: { type: 'string', multiple: true },
  recursive: { type: 'boolean' },
  force: { type: 'boolean' },
  'bucket-owner': { type: 'string' },
  region: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean' },
} as const;

export const SHARED_USAGE = `  --bucket-owner   the account that must own the bucket (default of encrypt: the caller's own)
  --region         over AWS_REGION and the AWS profile; of the bucket and the secret: a KMS key's ARN names its own
  --json           one JSON document instead of text`;

/** Nothing else was read. */
export interface Help {
  help: true;
  json: boolean;
}

/** @throws an error that names the option: it is said more than once */
export function once(option: string, given: readonly string[] | undefined): string | undefined {
  if (given !== undefined && given.length > 1) throw new Error(`--${option} is said ${given.length} times; once is enough`);
  return given?.[0];
}

/** @throws an error that names the option */
export function readBucketOwner(said: string | undefined): string | null {
  if (said === undefined) return null;
  if (!/^\d{12}$/.test(said)) throw new Error(`--bucket-owner ${said}: an AWS account has 12 digits`);
  return said;
}
