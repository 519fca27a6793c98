/** What the cases share: two readers and writers of messages, a wrapping key and a KMS key that both of them have. */
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { secretKey } from '../../../src/encryption/index.ts';
import {
  aesOpeningKeys,
  aesSealingKeys,
  kmsOpeningKeys,
  kmsSealingKeys,
  type OpeningKeys,
  type SealingKeys,
  WRAPPING_NAMESPACE,
} from '../../../src/envelope/index.ts';
import { openSandbox } from '../../sandbox/s3/sandbox.ts';
import { type PythonKeyring, type PythonSdk, startPythonSdk } from './python-sdk.ts';

const REGION = 'us-east-1';
const KEY_NAME = '3f6d1c52-7a0b-4c58-9c1e-51f2f4a3c9d7';

/** One key, as each side has it. */
export interface Keys {
  name: string;
  sealing: SealingKeys;
  opening: OpeningKeys;
  python: PythonKeyring;
}

export interface World extends AsyncDisposable {
  python: PythonSdk;
  wrapping: Keys;
  /** Of the same name, which alone tells nothing. */
  otherWrapping: Keys;
  kms: Keys;
  otherKms: Keys;
}

export interface Case {
  name: string;
  /** What was found that should not be so; `null`: nothing. */
  difference(): Promise<string | null>;
}

/** @param pythonPath that has what requirements.txt names @param folder gets the wrapping key's file, for this user alone */
export async function openWorld(pythonPath: string, folder: string): Promise<World> {
  const sandbox = await openSandbox();
  const { accessKeyId, secretAccessKey } = sandbox.credentials;
  const kms = new KMSClient({ endpoint: sandbox.url, region: REGION, credentials: sandbox.credentials, maxAttempts: 1 });
  const [key, otherKey] = [secretKey(KEY_NAME, randomBytes(32)), secretKey(KEY_NAME, randomBytes(32))];

  const keyFile = join(folder, 'wrapping-key.json');
  const shared = { namespace: WRAPPING_NAMESPACE, name: key.versionId, key: key.material.toString('base64') };
  writeFileSync(keyFile, JSON.stringify(shared), { mode: 0o600, flag: 'wx' });
  const python = startPythonSdk(pythonPath, keyFile, {
    AWS_ENDPOINT_URL: sandbox.url,
    AWS_DEFAULT_REGION: REGION,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
  });

  const wrapped = (name: string, secret: typeof key, keyring: PythonKeyring): Keys => ({
    name,
    sealing: aesSealingKeys(secret),
    opening: aesOpeningKeys({ version: async () => secret }),
    python: keyring,
  });
  const underKms = async (name: string): Promise<Keys> => {
    const keyArn = (await kms.send(new CreateKeyCommand({}))).KeyMetadata?.Arn ?? '';
    return { name, sealing: kmsSealingKeys(kms, keyArn, null), opening: kmsOpeningKeys(kms, [keyArn]), python: { keyArn } };
  };

  return {
    python,
    wrapping: wrapped('a wrapping key', key, {}),
    otherWrapping: wrapped('another wrapping key', otherKey, { name: otherKey.versionId, key: otherKey.material.toString('base64') }),
    kms: await underKms('a KMS key'),
    otherKms: await underKms('another KMS key'),
    async [Symbol.asyncDispose]() {
      await python[Symbol.asyncDispose]();
      kms.destroy();
      await sandbox[Symbol.asyncDispose]();
    },
  };
}
