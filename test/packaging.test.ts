import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compilePolicy } from '../stack/policy.ts';
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
      `${join(folder, 'policy.yml')}:2:26: at default.encryption.mode: got "rot13"; allowed: sse-s3, sse-kms, dsse-kms, sse-c`,
    ]);
    expect(error.cause).toMatchObject({ code: 'policy-invalid' });
  });

  it('names the file that is not there', () => {
    expect(failureOf(() => compilePolicy(join(folder, 'none.yml'))).message).toMatch(/ENOENT.*none\.yml/);
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
