import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PackageError, packageStack } from '../sandbox/build.ts';
import { esbuildOptions, localEsbuildOptions } from '../stack/esbuild.ts';
import { compilePolicy } from '../stack/policy.ts';
import { readStack } from '../stack/read-stack.ts';
import { checkedStage } from '../stack/stage.ts';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sealdrop-packaging-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function compile(text: string) {
  const path = join(folder, 'policy.yml');
  writeFileSync(path, text);
  return compilePolicy(path);
}

function failureOf(run: () => unknown): Error {
  try {
    run();
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error('it did not fail');
}

describe('compilePolicy', () => {
  it('gives a policy that survives being compiled into a bundle as JSON', () => {
    const policy = compile(
      'version: 1\nrules: [{ match: { prefix: a/ }, encryption: { mode: sse-c } }]\ndefault: { encryption: { mode: sse-kms } }',
    );
    expect(JSON.parse(JSON.stringify(policy))).toEqual(policy);
  });

  it('stops packaging with every problem and no stack trace, since Serverless shows the stack', () => {
    const error = failureOf(() => compile('version: 2\ndefault: { encryption: { mode: rot13 } }'));
    expect(error.stack).toBe(`\n${error.message}`);
    expect(error.message.split('\n')).toEqual([
      `${join(folder, 'policy.yml')}:1:1: at version: got 2; allowed: 1`,
      `${join(folder, 'policy.yml')}:2:26: at default.encryption.mode: got "rot13"; allowed: sse-s3, sse-kms, dsse-kms, sse-c, cse-kms, cse-aes`,
    ]);
    expect(error.cause).toMatchObject({ code: 'policy-invalid' });
  });

  it('names the file that is not there', () => {
    expect(failureOf(() => compilePolicy(join(folder, 'none.yml'))).message).toMatch(/ENOENT.*none\.yml/);
  });

  it('refuses keys of another Region, which S3 could not use, former ones too', () => {
    const key = (region: string, id: string) => `arn:aws:kms:${region}:111122223333:key/${id}`;
    const path = join(folder, 'keys.yml');
    const rules = `rules: [{ match: { prefix: a/ }, encryption: { mode: sse-kms, key: '${key('eu-west-1', 'one')}' } }]`;
    writeFileSync(path, `version: 1\n${rules}\ndefault: { encryption: { mode: sse-s3 } }\nformerKeys: ['${key('us-east-1', 'two')}']`);
    expect(compilePolicy(path).rules).toHaveLength(1);
    expect(failureOf(() => compilePolicy(path, 'us-east-1')).stack).toBe(
      `\n${path}: the key ${key('eu-west-1', 'one')} lies in eu-west-1; S3 uses keys of its bucket's Region only, here us-east-1`,
    );
    expect(failureOf(() => compilePolicy(path, 'eu-west-1')).message).toContain(key('us-east-1', 'two'));
  });

  it('takes the policy that the project ships', () => {
    expect(compilePolicy('policy.yml').version).toBe(1);
  });
});

describe('checkedStage', () => {
  it.each(['dev', 'qa', 'prod', 'eu-2', `a${'b'.repeat(15)}`])('may be %s', (name) => {
    expect(checkedStage(name)).toBe(name);
  });

  it.each(['Prod', 'p', '1st', 'a_b', 'a-', '', `a${'b'.repeat(16)}`])('may not be "%s": buckets and roles could not be named', (name) => {
    expect(failureOf(() => checkedStage(name)).stack).toBe(
      `\n--stage ${name}: a stage is 2 to 16 lower-case letters, digits and hyphens, and begins with a letter`,
    );
  });
});

describe('readStack', () => {
  const variables = (param: string[] | null, configured: Record<string, object>) => ({
    options: { stage: 'qa', param },
    resolveVariable: async (variable: string) => {
      const name = /^param:(\w+), null$/.exec(variable)?.[1] ?? '';
      const given = param?.find((each) => each.startsWith(`${name}=`))?.slice(name.length + 1);
      return given ?? Reflect.get({ ...configured.default, ...configured.qa }, name) ?? null;
    },
    resolveConfigurationProperty: async ([first, second]: string[]) => (first === 'params' ? configured[second ?? ''] : 'us-east-1'),
  });
  const defaults = {
    policy: 'policy.yml',
    oidcAudience: 'sealdrop',
    auditLockMode: 'GOVERNANCE',
    auditLockDays: 1,
    logRetentionDays: 90,
    noncurrentDays: 90,
    requestsPerSecond: 1000,
    requestBurst: 2000,
    redirectAboveMiB: 190,
    partsAboveMiB: 256,
    partMiB: 64,
    tracing: false,
    dataEvents: false,
  };

  it('puts stage, Region, parameters and policy together', async () => {
    const stack = await readStack(variables(['oidcIssuer=https://login.example.com'], { default: defaults, qa: { auditLockDays: 7 } }));
    expect(stack).toMatchObject({
      stage: 'qa',
      region: 'us-east-1',
      settings: { auditLockDays: 7, oidcIssuer: 'https://login.example.com' },
    });
    expect(stack.policy.version).toBe(1);
  });

  it('refuses unknown names, on the command line and in serverless.yml', async () => {
    const configured = { default: { ...defaults, oidcIssuer: 'https://login.example.com' }, qa: { alarmMail: 'a@example.com' } };
    await expect(readStack(variables(['breakglass=x'], configured))).rejects.toThrow(
      /breakglass: there is no such(?:.|\n)*alarmMail: there is no such/,
    );
  });

  it('needs no --param', async () => {
    const configured = { default: { ...defaults, oidcIssuer: 'https://login.example.com' } };
    expect((await readStack(variables(null, configured))).settings.breakGlass).toEqual([]);
  });
});

describe('esbuildOptions', () => {
  it('compiles a policy in whose keys Serverless would see its own variables', () => {
    const policy = compile(
      `version: 1\nrules: [{ match: { prefix: '\${env:HOME}/$' }, encryption: { mode: sse-c } }]\ndefault: { encryption: { mode: sse-s3 } }`,
    );
    const { SEALDROP_POLICY } = esbuildOptions({ policy }).define;
    expect(SEALDROP_POLICY).not.toContain('$');
    expect(JSON.parse(SEALDROP_POLICY)).toEqual(policy);
  });
});

describe('serverless package', () => {
  it('stops with one message that names every wrong parameter', async () => {
    const params = { tracing: 'ja', breakglass: 'me', auditLockMode: 'LEGAL' };
    const packaging = packageStack({ projectDir: '.', policyPath: 'policy.yml', stage: 'prod', params, cacheDir: join(folder, 'cache') });
    const error = await packaging.catch((refused: unknown) => refused);
    if (!(error instanceof PackageError)) throw new Error('it was packaged');
    for (const name of ['breakglass: ', 'oidcIssuer is missing: ', 'tracing=ja: ', 'auditLockMode=LEGAL: ']) {
      expect(error.message.split(`  ${name}`), name).toHaveLength(2);
    }
    expect(error.message).not.toMatch(/at .*\.ts:\d+/);
  });
});

it('bundles for invoke local where no package is made: Lambda would take its .js for the handler', () => {
  const policy = compilePolicy('policy.yml');
  expect(localEsbuildOptions({ policy }).outputWorkFolder).toBe('.invoke-local');
  expect(esbuildOptions({ policy })).not.toHaveProperty('outputWorkFolder');
});
