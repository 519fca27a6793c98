import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openState, type State } from '../../../sandbox/state.ts';
import { openCredentials } from '../../../sandbox/wire/credentials.ts';

const role = { roleArn: 'arn:aws:iam::000000000000:role/encrypt', sessionName: 'encrypt' };
let dir: string;
let state: State;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'credentials-'));
  state = openState(dir);
});
afterEach(() => {
  state.close();
  rmSync(dir, { recursive: true });
});

test('the administrator is made once and is the same after a restart', () => {
  const first = openCredentials(state).administrator();
  state.close();
  state = openState(dir);
  const again = openCredentials(state);
  expect(again.administrator()).toEqual(first);
  expect(again.find(first.accessKeyId)).toEqual(first);
  expect(first.accessKeyId).toMatch(/^AKIA[A-Z2-7]{16}$/);
  expect(first.secretAccessKey).toHaveLength(40);
});

test('a role’s credential stays while role and session do, and is replaced when they change', () => {
  const credentials = openCredentials(state);
  const first = credentials.issueForRole('encrypt', role);
  expect(credentials.issueForRole('encrypt', role)).toEqual(first);
  expect(openCredentials(state).find(first.accessKeyId)).toEqual(first);
  const second = credentials.issueForRole('encrypt', { ...role, sessionName: 'other' });
  expect(second.principal.arn).toBe('arn:aws:sts::000000000000:assumed-role/encrypt/other');
  expect(credentials.find(first.accessKeyId)).toBeNull();
  expect(openCredentials(state).find(first.accessKeyId)).toBeNull();
});

test('a function named administrator is not the administrator', () => {
  const credentials = openCredentials(state);
  const { principal } = credentials.issueForRole('administrator', role);
  expect(principal.roleArn).toBe(role.roleArn);
  expect(credentials.administrator().principal.roleArn).toBeNull();
});

test('an unknown access key id is nobody’s', () => {
  expect(openCredentials(state).find('AKIANOBODY')).toBeNull();
});

test('no secret and no token lies open in the database', () => {
  const credentials = openCredentials(state);
  const { sessionToken } = credentials.issueForRole('encrypt', role);
  const { secretAccessKey } = credentials.administrator();
  const cells = state.db
    .prepare('SELECT * FROM wire_credentials')
    .all()
    .flatMap((row) => Object.values(row));
  const bytes = Buffer.concat(cells.map((cell) => Buffer.from(cell instanceof Uint8Array ? cell : String(cell))));
  expect(cells).toContain('administrator');
  for (const secret of [secretAccessKey, sessionToken ?? 'none']) expect(bytes.includes(secret)).toBe(false);
});
