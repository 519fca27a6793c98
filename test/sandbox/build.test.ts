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

test('an input that changes while the package is made leaves no package under what it was', async () => {
  writeFileSync(join(dir, 'edited.yml'), POLICY);
  const edited = { ...options, policyPath: join(dir, 'edited.yml'), cacheDir: join(dir, 'edited') };
  const packaging = packageStack(edited);
  writeFileSync(edited.policyPath, POLICY.replace('sse-s3', 'sse-kms'));
  expect(await packaging).toEqual(await packageStack(edited));
  expect(readdirSync(edited.cacheDir)).toHaveLength(1);
});

test('parameters reach the template, make a package of their own, and come in any order', async () => {
  const both = { oidcIssuer: 'https://login.example.com', oidcAudience: 'files' };
  const one = await packageStack({ ...options, params: both });
  const { OidcIssuer, OidcAudience } = readTemplate(one.templatePath).Parameters;
  expect([OidcIssuer?.Default, OidcAudience?.Default]).toEqual(['https://login.example.com', 'files']);
  expect(await packageStack({ ...options, params: Object.fromEntries(Object.entries(both).reverse()) })).toEqual(one);
  expect((await packageStack(options)).packageDir).not.toBe(one.packageDir);
});

test.each([
  [{ policy: 'other.yml' }, 'The policy is no --param here'],
  [{ breakGlass: '' }, '--param breakGlass: a value is one line, not empty'],
  [{ breakGlass: 'one\ntwo' }, '--param breakGlass: a value is one line, not empty'],
  [{ 'break=glass': 'one' }, "--param break=glass=…: a parameter's name is letters and digits"],
])('refuses the parameter %j, which Serverless would read as something else', async (params, message) => {
  await expect(packageStack({ ...options, params })).rejects.toThrow(message);
});

test("a wrong policy is told in the policy's own words", async () => {
  writeFileSync(join(dir, 'wrong.yml'), POLICY.replace('sse-s3', 'sse-x'));
  const failure = await packageStack({ ...options, policyPath: join(dir, 'wrong.yml') }).catch((error: Error) => error);
  expect(failure).toMatchObject({ name: 'PackageError', message: expect.stringContaining('sse-x') });
  expect(String(failure)).not.toContain('    at ');
  expect(readdirSync(options.cacheDir).filter((name) => name.includes('.'))).toEqual([]);
});

test('wrong parameters are told as packaging tells them, and nothing of how it came to read them', async () => {
  const failure = await packageStack({ ...options, params: { auditLockMode: 'HARD' } }).catch((error: Error) => error);
  expect(String(failure).split('\n').slice(0, 3)).toEqual([
    'PackageError: The stack cannot be packaged.',
    'The parameters of stage dev are not valid:',
    '  auditLockMode=HARD: allowed: GOVERNANCE, COMPLIANCE',
  ]);
});

test('a policy that is not there is said by its path', async () => {
  await expect(packageStack({ ...options, policyPath: 'nowhere.yml' })).rejects.toThrow(`There is no policy at ${resolve('nowhere.yml')}`);
});
