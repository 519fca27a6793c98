/** The services that keys and objects are in, as the environment configures them. */
import { KMSClient } from '@aws-sdk/client-kms';
import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { Failure } from '../failure.ts';
import { regionOfKey } from './key-options.ts';

/** Somebody waits for a small answer. */
const SMALL_CALL = { connectionTimeout: 3_000, requestTimeout: 15_000, throwOnRequestTimeout: true };
/** How long parts take depends on the line: only a silent connection counts as broken. */
const TRANSFER = { connectionTimeout: 10_000, socketTimeout: 120_000 };
const S3_ATTEMPTS = 5;

export interface Aws {
  s3: S3Client;
  secretsManager: SecretsManagerClient;
  /** A KMS key answers in its own Region alone. @param keyArn `null`: a key that has no ARN here */
  kmsOf(keyArn: string | null): KMSClient;
  /** The caller's own. */
  account(): Promise<string>;
  close(): void;
}

/** @param said over what the environment says */
export function openAws(said: string | undefined): Aws {
  const region = said === undefined ? {} : { region: said };
  const s3 = new S3Client({
    ...region,
    maxAttempts: S3_ATTEMPTS,
    requestHandler: TRANSFER,
    // A bucket may be in another Region than the caller's profile.
    followRegionRedirects: true,
    // What is read is compared here, also where it comes in several answers; what is written brings its own checksums. One of these settings
    // without the other has the SDK send the checksum of nothing with every GET.
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestChecksumCalculation: 'WHEN_REQUIRED',
  });
  const secretsManager = new SecretsManagerClient({ ...region, requestHandler: SMALL_CALL });
  const sts = new STSClient({ ...region, requestHandler: SMALL_CALL });
  const kms = new Map<string, KMSClient>();
  let account: Promise<string> | null = null;
  return {
    s3,
    secretsManager,
    kmsOf(keyArn) {
      const own = keyArn === null ? null : regionOfKey(keyArn);
      const known = kms.get(own ?? '');
      if (known !== undefined) return known;
      const client = new KMSClient({ ...(own === null ? region : { region: own }), requestHandler: SMALL_CALL });
      kms.set(own ?? '', client);
      return client;
    },
    account() {
      account ??= sts.send(new GetCallerIdentityCommand({})).then(({ Account }) => {
        if (Account === undefined)
          throw new Failure('STS does not say which account this is.', { nextStep: 'Say --bucket-owner ACCOUNT.' });
        return Account;
      });
      return account;
    },
    close() {
      for (const client of [s3, secretsManager, sts, ...kms.values()]) client.destroy();
    },
  };
}
