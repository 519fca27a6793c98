import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const PROJECT = join(import.meta.dirname, '../..');
/** One that started after all is ended, rather than left behind. */
const TIMEOUT_MS = 20_000;

async function start(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const node = join(PROJECT, 'node_modules/.bin/node');
  try {
    const done = await promisify(execFile)(node, ['--disable-warning=ExperimentalWarning', 'cli/start.ts', ...args], {
      cwd: PROJECT,
      timeout: TIMEOUT_MS,
    });
    return { code: 0, ...done };
  } catch (error) {
    if (typeof error !== 'object' || error === null) throw error;
    const { code, stdout, stderr } = Object(error);
    return { code: Number(code), stdout: String(stdout), stderr: String(stderr) };
  }
}

test.each([
  [['--param', 'auditLockDays'], '--param auditLockDays: it is given as name=value'],
  [['--param', 'auditLockDays='], '--param auditLockDays=: it is given as name=value'],
  [['--param', 'policy=other.yml'], '--param policy=other.yml: the policy is given by --policy other.yml'],
  [['--param', 'tracing=true', '--param', 'tracing=false'], '--param tracing is given twice'],
  [['--port', '65536'], '--port 65536: a port is a number from 0 to 65535'],
])('%j ends with 1 and says why, before anything starts', async (args, message) => {
  const { code, stdout, stderr } = await start(...args);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr.split('\n')[0]).toBe(message);
});

test('--help names every option', async () => {
  const { code, stdout } = await start('--help');
  expect(code).toBe(0);
  expect([...stdout.matchAll(/^ {2}(--[\w-]+)/gm)].map(([, option]) => option)).toEqual([
    '--port',
    '--api-port',
    '--data',
    '--policy',
    '--stage',
    '--param',
  ]);
});
