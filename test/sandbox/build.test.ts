import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type PackageOptions, packageStack } from '../../sandbox/build.ts';
import { readTemplate } from '../../sandbox/cloudformation/index.ts';

const POLICY = 'version: 1\nrules: []\ndefault:\n  encryption: { mode: sse-s3 }\nsource: keep\naccess: []\n';
let dir: string;
let options: PackageOptions;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'sealdrop-build-'));
  writeFileSync(join(dir, 'policy.yml'), POLICY);
  options = { projectDir: resolve('.'), policyPath: join(dir, 'policy.yml'), stage: 'dev', cacheDir: join(dir, 'cache') };
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

test('two at once make one package, which is found again until an input changes', async () => {
  const [one, other] = await Promise.all([packageStack(options), packageStack(options)]);
  expect(one).toEqual(other);
  expect(dirname(one.templatePath)).toBe(one.packageDir);
  expect(Object.keys(readTemplate(one.templatePath).Resources).length).toBeGreaterThan(10);
  expect(readdirSync(one.packageDir)).toContain('encrypt.zip');

  const made = statSync(one.templatePath).mtimeMs;
  expect(await packageStack(options)).toEqual(one);
  expect(statSync(one.templatePath).mtimeMs).toBe(made);

  writeFileSync(options.policyPath, `${POLICY}# changed\n`);
  expect((await packageStack(options)).packageDir).not.toBe(one.packageDir);
  expect(readdirSync(options.cacheDir).length).toBe(2);
});

test("a wrong policy is told in the policy's own words", async () => {
  writeFileSync(join(dir, 'wrong.yml'), POLICY.replace('sse-s3', 'sse-x'));
  const failure = await packageStack({ ...options, policyPath: join(dir, 'wrong.yml') }).catch((error: Error) => error);
  expect(failure).toMatchObject({ name: 'PackageError', message: expect.stringContaining('sse-x') });
  expect(String(failure)).not.toContain('    at ');
  expect(readdirSync(options.cacheDir).filter((name) => name.includes('.'))).toEqual([]);
});

test('a policy that is not there is said by its path', async () => {
  await expect(packageStack({ ...options, policyPath: 'nowhere.yml' })).rejects.toThrow(`There is no policy at ${resolve('nowhere.yml')}`);
});
