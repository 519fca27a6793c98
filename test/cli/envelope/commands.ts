/** The commands in this process, on services that never leave it. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { mockClient } from 'aws-sdk-client-mock';
import type { Command } from '../../../cli/command.ts';
import { decrypt } from '../../../cli/decrypt.ts';
import { encrypt } from '../../../cli/encrypt.ts';
import { secretError } from '../../fixtures/aws.ts';

export const SECRET = 'sealdrop/test';
export const VERSION = '11111111-2222-4333-8444-555555555555';
/** In hex, so that it would be seen anywhere. */
export const KEY = 'c0ffee00'.repeat(8);

/** A secret with one version. */
export function mockSecret() {
  const mock = mockClient(SecretsManagerClient);
  mock.on(GetSecretValueCommand).callsFake(async ({ SecretId, VersionId = VERSION }) => {
    if (SecretId !== SECRET || VersionId !== VERSION) throw secretError('ResourceNotFoundException');
    return { SecretString: KEY, VersionId };
  });
  return mock;
}

async function run(command: Command, args: string[]) {
  const out: string[] = [];
  const err: string[] = [];
  const code = await command(args, { env: {}, out: (text) => out.push(text), err: (text) => err.push(text) });
  const [stdout, stderr] = [out.join('\n'), err.join('\n')];
  if (`${stdout}${stderr}`.includes(KEY)) throw new Error('the key was shown');
  return { code, stdout, stderr };
}

export const encrypting = (...args: string[]) => run(encrypt, args);
export const decrypting = (...args: string[]) => run(decrypt, args);

export function makeFolder() {
  const path = mkdtempSync(join(tmpdir(), 'sealdrop-envelope-'));
  const at = (name: string) => join(path, name);
  return {
    path,
    at,
    names: (name = '.') => readdirSync(at(name)).sort(),
    read: (name: string) => readFileSync(at(name)),
    write: (name: string, bytes: Uint8Array | string) => writeFileSync(at(name), bytes),
    remove: () => rmSync(path, { recursive: true, force: true }),
  };
}
