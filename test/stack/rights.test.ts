import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { ACCOUNT_ID, REGION } from '../../sandbox/account.ts';
import { FUNCTIONS } from '../../stack/names.ts';
import { type Right, rightsOf } from '../../stack/rights.ts';
import { KEY_ARN, plain, policyOf, propertiesOf, STACK_KEY_ARN, stackOf } from './stack.ts';

const PROJECT = join(import.meta.dirname, '../..');
const FORMER = KEY_ARN.replaceAll('1', '5');
const bucket = (what: string) => `arn:aws:s3:::sealdrop-qa-${what}-${ACCOUNT_ID}-${REGION}`;
const queue = (what: string) => `arn:aws:sqs:${REGION}:${ACCOUNT_ID}:sealdrop-qa-${what}-${ACCOUNT_ID}-${REGION}`;

function actionsOf(rights: Right[]): string[] {
  return [...new Set(rights.flatMap(({ actions }) => actions))].sort();
}

function find(rights: Right[], sid: string): Right | null {
  return rights.find((right) => right.sid === sid) ?? null;
}

/** Files of a function's code that name a call by which S3 gives bytes. */
async function askingForBytes(name: string): Promise<string[]> {
  const entryPoints = [join(PROJECT, `handlers/${name}.ts`)];
  const { metafile } = await build({ entryPoints, bundle: true, platform: 'node', packages: 'external', write: false, metafile: true });
  return Object.keys(metafile.inputs).filter((file) =>
    /\b(?:GetObjectCommand|GetObjectTorrentCommand|SelectObjectContentCommand|getObject)\b/.test(readFileSync(resolve(file), 'utf8')),
  );
}

const resourcesOf = (right: Right | null) => plain(right?.resources ?? []);

describe('rightsOf', () => {
  it('gives each function the actions of its calls, and no others', () => {
    const rights = rightsOf(stackOf(policyOf([{ match: { prefix: 'cards/' }, encryption: { mode: 'sse-c' } }])));
    const logs = ['logs:CreateLogStream', 'logs:PutLogEvents'];
    const take = ['sqs:ChangeMessageVisibility', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes', 'sqs:ReceiveMessage', 'sqs:SendMessage'];
    const inspect = ['s3:GetObject', 's3:GetObjectTagging', 's3:GetObjectVersion', 's3:GetObjectVersionTagging', 's3:ListBucket'];
    const write = ['dynamodb:BatchWriteItem', 'dynamodb:PutItem'];
    expect(Object.fromEntries(FUNCTIONS.map((name) => [name, actionsOf(rights[name])]))).toEqual({
      encrypt: [
        ...write,
        'dynamodb:Query',
        'kms:Decrypt',
        'kms:GenerateDataKey',
        ...logs,
        's3:AbortMultipartUpload',
        ...inspect,
        's3:ListBucketMultipartUploads',
        's3:ListMultipartUploadParts',
        's3:PutObject',
        's3:PutObjectTagging',
        'secretsmanager:GetSecretValue',
        ...take,
      ],
      audit: [...write, 'dynamodb:Query', ...logs, ...inspect, ...take].sort(),
      authorize: logs,
      download: [
        'dynamodb:PutItem',
        'dynamodb:Query',
        'kms:Decrypt',
        ...logs,
        's3:GetObject',
        's3:GetObjectVersion',
        's3:ListBucket',
        'secretsmanager:GetSecretValue',
      ],
      list: ['dynamodb:PutItem', ...logs, 's3:ListBucket'],
      history: ['dynamodb:PutItem', 'dynamodb:Query', ...logs],
      health: logs,
    });
  });

  it('names one bucket, one queue and its dead letters for each', () => {
    const { encrypt, audit, download } = rightsOf(stackOf());
    expect(resourcesOf(find(encrypt, 'ReadSource'))).toEqual([`${bucket('ingest')}/*`]);
    expect(resourcesOf(find(encrypt, 'WriteTarget'))).toEqual([`${bucket('target')}/*`]);
    expect(resourcesOf(find(encrypt, 'CompareTarget'))).toEqual([`${bucket('target')}/*`]);
    expect(resourcesOf(find(encrypt, 'LookAtTarget'))).toEqual([bucket('target')]);
    expect(resourcesOf(find(encrypt, 'SendContinuations'))).toEqual([queue('ingest')]);
    expect(resourcesOf(find(encrypt, 'ConsumeQueue'))).toEqual([queue('ingest')]);
    expect(resourcesOf(find(encrypt, 'SendDeadLetters'))).toEqual([queue('ingest-dead-letters')]);
    expect(resourcesOf(find(audit, 'ConsumeQueue'))).toEqual([queue('target-events')]);
    expect(resourcesOf(find(audit, 'SendDeadLetters'))).toEqual([queue('target-events-dead-letters')]);
    expect(resourcesOf(find(download, 'ReadTarget'))).toEqual([`${bucket('target')}/*`]);
  });

  it('holds the table to events and records of this target, and to requests that name a key', () => {
    const { encrypt, audit, download, list, history } = rightsOf(stackOf());
    const target = `sealdrop-qa-target-${ACCOUNT_ID}-${REGION}`;
    const kindsOf = (right: Right | null) => {
      const condition = plain(right?.condition) as Record<string, Record<string, string | string[]>>;
      expect(condition.Null).toEqual({ 'dynamodb:LeadingKeys': 'false' });
      return condition['ForAllValues:StringLike']?.['dynamodb:LeadingKeys'];
    };
    expect(kindsOf(find(encrypt, 'ReadRecordsAndClaims'))).toEqual([`object#${target}/*`]);
    expect(kindsOf(find(encrypt, 'WriteEventsAndRecords'))).toEqual([`audit#${target}/*`, `object#${target}/*`]);
    expect(kindsOf(find(audit, 'ReadRecords'))).toEqual([`object#${target}/*`]);
    expect(kindsOf(find(audit, 'WriteEvents'))).toEqual([`audit#${target}/*`]);
    expect(kindsOf(find(download, 'ReadRecords'))).toEqual([`object#${target}/*`]);
    for (const right of [find(download, 'RecordReads'), find(history, 'ReadEvents')]) {
      expect(kindsOf(right)).toEqual([`audit#${target}/*`, `reads#${target}/*`]);
    }
    for (const right of [find(list, 'RecordRefusals'), find(history, 'RecordRefusals')]) {
      expect(kindsOf(right)).toEqual([`audit#${target}/*`]);
    }
  });

  it('gives encrypt no action on bytes of the target but the one that a condition on its ETag needs', () => {
    const { encrypt } = rightsOf(stackOf());
    const target = (right: Right) => (resourcesOf(right) as string[]).some((resource) => resource.startsWith(bucket('target')));
    const reads = encrypt.filter(target).flatMap(({ actions }) => actions.filter((action) => action.startsWith('s3:Get')));
    expect(reads).toEqual(['s3:GetObject']);
  });

  it('gives encrypt GetObject on the target without any code that asks for bytes but those of sources', async () => {
    expect(await askingForBytes('encrypt')).toEqual(['src/copy/source-bytes.ts']);
    // Its one GetObject names the bucket of the event.
    const code = readFileSync('src/copy/source-bytes.ts', 'utf8');
    expect(code.split('new GetObjectCommand({')).toEqual([expect.any(String), expect.stringMatching(/^\s+Bucket: bucket,\n/)]);
    expect(code.match(/bucket(: ref\.bucket|, key, versionId, etag \} = ref)/g)).toHaveLength(2);
    expect(await askingForBytes('download')).not.toEqual([]);
  });

  it('lets encrypt delete versions of sources, and see that there are any, only where the policy asks for it', () => {
    const keeping = stackOf();
    const { encrypt, ...others } = rightsOf({ ...keeping, policy: { ...keeping.policy, source: 'delete' } });
    expect([find(encrypt, 'DeleteSource')?.actions, resourcesOf(find(encrypt, 'DeleteSource'))]).toEqual([
      ['s3:DeleteObjectVersion'],
      [`${bucket('ingest')}/*`],
    ]);
    expect([find(encrypt, 'SeeVersioning')?.actions, resourcesOf(find(encrypt, 'SeeVersioning'))]).toEqual([
      ['s3:GetBucketVersioning'],
      [bucket('ingest')],
    ]);
    const { encrypt: kept, ...otherKept } = rightsOf(keeping);
    expect(encrypt.filter(({ sid }) => find(kept, sid) === null).map(({ sid }) => sid)).toEqual(['DeleteSource', 'SeeVersioning']);
    expect(others).toEqual(otherKept);
  });

  it('gives encrypt the customer key only where a rule asks for SSE-C, and download always', () => {
    const without = rightsOf(stackOf());
    expect(find(without.encrypt, 'ReadCustomerKey')).toBeNull();
    expect(resourcesOf(find(without.download, 'ReadCustomerKey'))).toEqual(['<CustomerKey>']);
    const having = rightsOf(stackOf(policyOf([], { mode: 'sse-c' })));
    expect(resourcesOf(find(having.encrypt, 'ReadCustomerKey'))).toEqual(['<CustomerKey>']);
  });

  it('gives encrypt the keys of today, download those and the former ones', () => {
    const stack = stackOf(
      policyOf([{ match: { prefix: 'a' }, encryption: { mode: 'dsse-kms', key: KEY_ARN } }], { mode: 'sse-kms' }, [FORMER]),
    );
    const { encrypt, download } = rightsOf(stack);
    expect(resourcesOf(find(encrypt, 'EncryptByS3'))).toEqual([STACK_KEY_ARN, KEY_ARN]);
    expect(resourcesOf(find(download, 'DecryptByS3'))).toEqual([STACK_KEY_ARN, KEY_ARN, FORMER]);
    for (const right of [find(encrypt, 'EncryptByS3'), find(download, 'DecryptByS3')]) {
      expect(plain(right?.condition)).toEqual({ StringEquals: { 'kms:ViaService': `s3.${REGION}.amazonaws.com` } });
    }
  });

  it("leaves the stack's own key out of encrypt's role where no rule uses it", () => {
    const { encrypt, download } = rightsOf(stackOf(policyOf([], { mode: 'sse-s3' })));
    expect(find(encrypt, 'EncryptByS3')).toBeNull();
    expect(resourcesOf(find(download, 'DecryptByS3'))).toEqual([STACK_KEY_ARN]);
    const named = rightsOf(stackOf(policyOf([], { mode: 'sse-kms', key: KEY_ARN })));
    expect(resourcesOf(find(named.encrypt, 'EncryptByS3'))).toEqual([KEY_ARN]);
  });

  it('lets encrypt and audit ask which key aws/s3 is only where a rule names it', () => {
    expect(FUNCTIONS.filter((name) => find(rightsOf(stackOf())[name], 'NameManagedKey'))).toEqual([]);
    const rights = rightsOf(stackOf(policyOf([], { mode: 'sse-kms', key: 'aws/s3' })));
    expect(FUNCTIONS.filter((name) => find(rights[name], 'NameManagedKey'))).toEqual(['encrypt', 'audit']);
    expect(find(rights.encrypt, 'NameManagedKey')?.condition).toEqual({
      'ForAnyValue:StringEquals': { 'kms:ResourceAliases': 'alias/aws/s3' },
    });
  });

  it('refers to what was brought', () => {
    const secret = `arn:aws:secretsmanager:${REGION}:${ACCOUNT_ID}:secret:team-AbC123`;
    const { encrypt, download } = rightsOf(
      stackOf(policyOf(), { ingestBucket: 'team-in', targetBucket: 'team-out', kmsKey: KEY_ARN, customerKeySecret: secret }),
    );
    expect(resourcesOf(find(encrypt, 'ReadSource'))).toEqual(['arn:aws:s3:::team-in/*']);
    expect(resourcesOf(find(encrypt, 'WriteTarget'))).toEqual(['arn:aws:s3:::team-out/*']);
    expect(resourcesOf(find(encrypt, 'EncryptByS3'))).toEqual([KEY_ARN]);
    expect(resourcesOf(find(download, 'ReadCustomerKey'))).toEqual([secret]);
  });

  it('opens a brought secret under whatever key it is, by Secrets Manager and for that secret alone', () => {
    const secret = `arn:aws:secretsmanager:${REGION}:${ACCOUNT_ID}:secret:team-AbC123`;
    const held = (settings: { customerKeySecret?: string }, mode: string) => {
      const rights = rightsOf(stackOf(policyOf([], { mode }), settings));
      return FUNCTIONS.filter((name) => find(rights[name], 'DecryptCustomerKey'));
    };
    expect(held({}, 'sse-c')).toEqual([]);
    expect(held({ customerKeySecret: secret }, 'sse-c')).toEqual(['encrypt', 'download']);
    expect(held({ customerKeySecret: secret }, 'sse-kms')).toEqual(['download']);
    const { download } = rightsOf(stackOf(policyOf(), { customerKeySecret: secret }));
    const right = find(download, 'DecryptCustomerKey');
    expect([right?.actions, resourcesOf(right), plain(right?.condition)]).toEqual([
      ['kms:Decrypt'],
      [`arn:aws:kms:${REGION}:*:key/*`],
      {
        StringEquals: { 'kms:ViaService': `secretsmanager.${REGION}.amazonaws.com`, 'kms:EncryptionContext:SecretARN': secret },
      },
    ]);
  });

  it('names a key once that policy and parameters both name', () => {
    const stack = stackOf(policyOf([{ match: { prefix: 'a' }, encryption: { mode: 'sse-kms', key: KEY_ARN } }]), { kmsKey: KEY_ARN });
    expect(resourcesOf(find(rightsOf(stack).encrypt, 'EncryptByS3'))).toEqual([KEY_ARN]);
  });

  it('gives every function the right to write traces only with tracing', () => {
    const traced = (tracing: boolean) => FUNCTIONS.filter((name) => find(rightsOf(stackOf(policyOf(), { tracing }))[name], 'WriteTraces'));
    expect(traced(false)).toEqual([]);
    expect(traced(true)).toEqual([...FUNCTIONS]);
  });

  it('says why where a resource is a wildcard of its own', () => {
    const rights = rightsOf(stackOf(policyOf([], { mode: 'sse-kms', key: 'aws/s3' }), { tracing: true }));
    for (const { sid, resources, reason } of FUNCTIONS.flatMap((name) => rights[name])) {
      const wide = (plain(resources) as string[]).some((resource) => resource === '*' || resource.endsWith(':key/*'));
      expect(!wide || reason !== undefined, sid).toBe(true);
    }
  });
});

describe('a role', () => {
  it('is what its function may do, for Lambda alone', () => {
    const role = propertiesOf(stackOf(), 'ListRole');
    expect(role.RoleName).toBe(`sealdrop-qa-list-${ACCOUNT_ID}-${REGION}`);
    expect(role.AssumeRolePolicyDocument).toEqual({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }],
    });
    expect(role.Policies).toEqual([
      {
        PolicyName: 'list',
        PolicyDocument: {
          Version: '2012-10-17',
          Statement: [
            {
              Sid: 'WriteLogs',
              Effect: 'Allow',
              Action: ['logs:CreateLogStream', 'logs:PutLogEvents'],
              Resource: `arn:aws:logs:${REGION}:${ACCOUNT_ID}:log-group:/aws/lambda/sealdrop-qa-list:*`,
            },
            { Sid: 'ListTarget', Effect: 'Allow', Action: ['s3:ListBucket'], Resource: bucket('target') },
            {
              Sid: 'RecordRefusals',
              Effect: 'Allow',
              Action: ['dynamodb:PutItem'],
              Resource: `arn:aws:dynamodb:${REGION}:${ACCOUNT_ID}:table/sealdrop-qa-audit-${ACCOUNT_ID}-${REGION}`,
              Condition: {
                'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': [`audit#sealdrop-qa-target-${ACCOUNT_ID}-${REGION}/*`] },
                Null: { 'dynamodb:LeadingKeys': 'false' },
              },
            },
          ],
        },
      },
    ]);
  });
});
