/** The AWS CLI against the sandbox, where one is on the PATH. */
import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import type { SandboxServer } from './sandbox-server.ts';

const run = promisify(execFile);

export const hasAwsCli = spawnSync('aws', ['--version']).status === 0;

/** @returns the JSON that the command printed, `null` when it printed nothing. Rejects with its stderr. */
export async function aws({ url, client }: SandboxServer, ...args: string[]): Promise<Record<string, unknown> | null> {
  const env = {
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    AWS_ENDPOINT_URL: url,
    AWS_REGION: client.region,
    AWS_ACCESS_KEY_ID: client.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: client.credentials.secretAccessKey,
    AWS_MAX_ATTEMPTS: '1',
    AWS_CONFIG_FILE: '/nonexistent',
    AWS_SHARED_CREDENTIALS_FILE: '/nonexistent',
    AWS_PAGER: '',
  };
  const { stdout } = await run('aws', ['--output', 'json', '--region', client.region, '--endpoint-url', url, ...args], { env });
  return stdout.trim() === '' ? null : JSON.parse(stdout);
}
