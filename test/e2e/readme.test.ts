/** The commands of the README and of the page on client-side encryption, run as they stand. */
import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadPolicy } from '../../src/policy/load.ts';
import { type LocalStack, startLocalStack } from './local-stack.ts';

const PROJECT = join(import.meta.dirname, '../..');
const readme = readFileSync(join(PROJECT, 'README.md'), 'utf8');
const clientSide = readFileSync(join(PROJECT, 'docs/client-side.md'), 'utf8');

/** The code blocks of a language below a heading, in order. */
function blocks(heading: string, language: string, page = readme): string[] {
  const section = page.split(/^## /m).find((part) => part.startsWith(`${heading}\n`));
  if (section === undefined) throw new Error(`the page has no section "${heading}"`);
  return [...section.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map(([, code = '']) => code);
}

const hasClients = ['aws', 'curl', 'bash'].every((command) => {
  try {
    execFileSync(command, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
});

test('the rule that the README shows is a valid policy', () => {
  const [rules = ''] = blocks('Write a rule', 'yaml');
  const policy = loadPolicy(`version: 1\ndefault: { encryption: { mode: sse-s3 } }\n${rules}`, 'README.md');
  expect(policy.rules.map((rule) => rule.encryption.mode)).toEqual(['sse-c', 'dsse-kms', 'sse-s3']);
});

test.each([
  ['Client-side encryption', ['cse-kms', 'cse-kms', 'cse-aes']],
  ['What others wrote', ['cse-kms']],
])('the rules that the page on client-side encryption shows under "%s" are a valid policy', (heading, modes) => {
  // What stands before the first heading of that depth belongs to the title.
  const [rules = ''] = blocks(heading, 'yaml', clientSide.replace(/^# /, '## '));
  const key = '0f8c0000-0000-0000-0000-000000000000';
  const policy = loadPolicy(`version: 1\ndefault: { encryption: { mode: sse-s3 } }\n${rules.replace('0f8c…', key)}`, 'client-side.md');
  expect(policy.rules.map((rule) => rule.encryption.mode)).toEqual(modes);
});

test('every npm script that the README names exists', () => {
  const { scripts } = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8')) as { scripts: Record<string, string> };
  const named = [...readme.matchAll(/npm (?:run )?(start|test:conformance|test|demo|check|bench|rights|chaos)\b/g)].map(
    ([, name = '']) => name,
  );
  expect(new Set(named)).toEqual(new Set(['start', 'test', 'test:conformance', 'demo', 'check', 'bench', 'rights', 'chaos']));
  for (const name of named) expect(scripts, name).toHaveProperty(name);
});

describe.runIf(hasClients)('the commands of the README', () => {
  let stack: LocalStack;
  let folder: string;

  beforeAll(async () => {
    stack = await startLocalStack('policy.yml');
    folder = mkdtempSync(join(tmpdir(), 'sealdrop-readme-'));
    const variables = Object.entries(stack.env).map(([name, value]) => `export ${name}='${value}'`);
    writeFileSync(join(folder, 'env'), `${variables.join('\n')}\n`);
  });
  afterAll(async () => {
    await stack.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const bash = async (code: string) => {
    const script = `set -e\nsource ${join(folder, 'env')}\n${code.replace('source .sandbox/env\n', '')}`;
    const environment = { PATH: process.env.PATH ?? '', HOME: folder, AWS_PAGER: '' };
    const done = await promisify(execFile)('bash', ['-c', script], { cwd: PROJECT, env: environment }).catch(
      (error: unknown) => error as { stdout: string; stderr: string },
    );
    return `${done.stdout}${done.stderr}`;
  };

  test('drop, fetch, be refused, and see the history', async () => {
    const [drop = '', put = ''] = blocks('Drop a file', 'sh');
    const [fetch = '', get = '', asFinance = '', refused = ''] = blocks('Fetch it', 'sh');
    const [history = ''] = blocks('See its history', 'sh');
    expect(await bash(drop)).toContain('upload: ./README.md');
    await stack.settled();
    expect(await bash(fetch)).toContain(readme);
    expect(await bash(put)).toMatch(/cards\/readme\.md.*sse-c/s);
    const file = join(folder, 'fetched.md');
    expect(await bash(get.replace('/tmp/readme.md', file))).toContain('crc64nvme');
    expect(readFileSync(file, 'utf8')).toBe(readme);
    expect(await bash(asFinance)).toContain(readme);
    expect(await bash(refused)).toContain('(400)');
    expect(await bash(history)).toMatch(/ObjectEncrypted.*ObjectDownloaded/s);
  });

  test('seal a file, a pipe and a folder', async () => {
    const [file = '', pipe = ''] = blocks('From the command line', 'sh', clientSide);
    const opened = join(folder, 'opened.md');
    expect(await bash(file.replaceAll('/tmp/readme.md', opened))).toContain('cse-kms');
    expect(readFileSync(opened, 'utf8')).toBe(readme);
    const said = await bash(pipe.replaceAll('/tmp/docs.tar.sealed', join(folder, 'docs.tar.sealed')));
    expect(said).toContain('docs/decisions/README.md');
    expect(said).toMatch(/s3:\/\/sealed-files\/docs\/.*cse-aes/s);
  });

  test('doctor finds the stack well', async () => {
    const [doctor = ''] = blocks('Deploy', 'sh').filter((code) => code.includes('doctor'));
    expect(await bash(doctor)).toMatch(/Well: 4 of 4 encryptions/);
  });

  test('five refused copies, and what the plan of faults did', async () => {
    const [plan = '', report = ''] = blocks('Faults', 'sh');
    const [define = ''] = plan.split('\n');
    expect(await bash(plan)).toContain('upload: ./README.md');
    await expect.poll(() => stack.history('slow.md'), { timeout: 20_000 }).toMatchObject([{ action: 'ObjectEncrypted' }]);
    expect(await bash(`${define}\n${report}`)).toMatch(/^active\n.*s3:CopyObject +6 +5\n.*^no plan is active\n/ms);
  });

  test('a disabled key, its dead letter and the way back', async () => {
    const [fail = '', failures = '', redrive = ''] = blocks('Failures', 'sh');
    await bash(fail);
    await expect.poll(() => bash(failures), { timeout: 20_000 }).toMatch(/kms-key-disabled.*readme\.md.*Enable the KMS key/s);
    expect(await bash(redrive)).toMatch(/kms-key-disabled +1 +1\n/);
    expect(await (await stack.get('readme.md')).text()).toBe(readme);
  });
});
