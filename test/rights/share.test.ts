/** The share function holds what its calls need, and nothing else: each grant is taken away once, and something must fail for it. */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { GetObjectCommand, HeadObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ACCOUNT_ID } from '../../sandbox/account.ts';
import { createLinks } from '../../src/audit/links.ts';
import { createAuditTrail } from '../../src/audit/trail.ts';
import { revokeLink, type ShareDeps, shareObject } from '../../src/share-object.ts';
import { compilePolicy } from '../../stack/policy.ts';
import { type LocalStack, startLocalStack } from '../e2e/local-stack.ts';
import { READER } from '../fixtures/api.ts';
import { keptLog, keptMetrics } from '../fixtures/aws.ts';
import { grantsOf, withoutGrant } from './grants.ts';

const KEY = 'shared/cards/note.txt';
const ASKED = { caller: { subject: 'user-17', claims: READER, principal: null }, requestId: 'asked' };
/** Of the runtime. */
const NOT_OF_THE_CODE = ['logs:CreateLogStream', 'logs:PutLogEvents'];

let stack: LocalStack;
beforeAll(async () => {
  stack = await startLocalStack('test/e2e/share.yml');
  await stack.drop(KEY, 'a note');
  await stack.settled();
});
afterAll(() => stack?.stop());

const variable = (name: string) => stack.env[name] ?? '';

function config() {
  const credentials = stack.sandbox.functionCredentials(`${variable('SEALDROP_STACK')}-share`);
  return { endpoint: variable('AWS_ENDPOINT_URL'), region: variable('AWS_REGION'), credentials, maxAttempts: 1 };
}

/** The function's code under its own role. */
function deps(): ShareDeps {
  const dynamodb = new DynamoDBClient(config());
  return {
    s3: new S3Client({ ...config(), forcePathStyle: true }),
    targetBucket: stack.targetBucket,
    targetBucketOwner: ACCOUNT_ID,
    access: compilePolicy('test/e2e/share.yml').access,
    links: createLinks(dynamodb, variable('SEALDROP_AUDIT_TABLE')),
    trail: createAuditTrail(dynamodb, variable('SEALDROP_AUDIT_TABLE')),
    metrics: keptMetrics(),
    log: keptLog(),
  };
}

async function makesAndRevokes(): Promise<boolean> {
  try {
    const { id } = await shareObject({ key: KEY, expiresInSeconds: 60, uses: 1, ...ASKED }, deps());
    await revokeLink({ id, ...ASKED }, deps());
    return true;
  } catch {
    return false;
  }
}

test('it does all it is for with what it holds', async () => {
  expect(await makesAndRevokes()).toBe(true);
});

test('every grant is needed', async () => {
  const unneeded: string[] = [];
  for (const { Sid, action } of grantsOf({ stack }, 'share').filter((grant) => !NOT_OF_THE_CODE.includes(grant.action))) {
    await withoutGrant({ stack }, 'share', Sid, action, async () => {
      if (await makesAndRevokes()) unneeded.push(`${Sid} ${action}`);
    });
  }
  expect(unneeded).toEqual([]);
  expect(await makesAndRevokes()).toBe(true);
});

test('it can neither look at an object nor read one', async () => {
  const s3 = new S3Client({ ...config(), forcePathStyle: true });
  const at = { Bucket: stack.targetBucket, Key: KEY };
  await expect(s3.send(new HeadObjectCommand(at))).rejects.toMatchObject({ $metadata: { httpStatusCode: 403 } });
  await expect(s3.send(new GetObjectCommand(at))).rejects.toMatchObject({ name: 'AccessDenied' });
});
