import { describe, expect, it } from 'vitest';
import { type GivenSettings, readSettings, SETTING_NAMES, type SettingName } from '../../stack/settings.ts';

const KEY = 'arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab';
const SECRET = 'arn:aws:secretsmanager:us-east-1:111122223333:secret:team/key-AbC123';

/** What serverless.yml gives a stage of its own. */
const DEFAULTS = {
  policy: 'policy.yml',
  oidcAudience: 'sealdrop',
  auditLockMode: 'GOVERNANCE',
  auditLockDays: 1,
  logRetentionDays: 30,
  tracing: false,
  dataEvents: false,
  noncurrentDays: 90,
  requestsPerSecond: 1000,
  requestBurst: 2000,
  redirectAboveMiB: 190,
  partsAboveMiB: 256,
  partMiB: 64,
};

function given(values: Record<string, unknown> = {}, stage = 'qa'): GivenSettings {
  const all: Record<string, unknown> = { ...DEFAULTS, oidcIssuer: 'https://login.example.com', ...values };
  const known = Object.fromEntries(SETTING_NAMES.map((name) => [name, all[name] ?? null]));
  return { stage, region: 'us-east-1', values: known as Record<SettingName, unknown>, names: Object.keys(all) };
}

function problemsOf(values: Record<string, unknown>, stage?: string): string[] {
  try {
    readSettings(given(values, stage));
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    expect(error.stack).toBe(`\n${error.message}`);
    const lines = error.message.split('\n');
    expect(lines.at(0)).toBe(`The parameters of stage ${stage ?? 'qa'} are not valid:`);
    expect(lines.at(-1)).toMatch(/^Give a parameter with --param name=value, or write it under params\.\w+ in serverless\.yml\.$/);
    return lines.slice(1, -1).map((line) => line.trim());
  }
  throw new Error('nothing was refused');
}

describe('readSettings', () => {
  it('takes the defaults and an issuer', () => {
    expect(readSettings(given())).toEqual({
      ...DEFAULTS,
      oidcIssuer: 'https://login.example.com',
      breakGlass: [],
      ingestReaders: [],
      alarmEmail: null,
      ingestBucket: null,
      targetBucket: null,
      targetBucketOwner: null,
      auditBucket: null,
      auditTable: null,
      kmsKey: null,
      operationsKey: null,
      customerKeySecret: null,
      wrappingKeySecret: null,
      sourceKeySecret: null,
    });
  });

  it('takes texts as the command line gives them', () => {
    const roles = 'arn:aws:iam::111122223333:role/break-glass, arn:aws:iam::111122223333:user/ops/mary';
    expect(
      readSettings(given({ tracing: 'true', auditLockDays: '365', logRetentionDays: '731', breakGlass: roles, kmsKey: KEY })),
    ).toMatchObject({
      tracing: true,
      auditLockDays: 365,
      logRetentionDays: 731,
      breakGlass: ['arn:aws:iam::111122223333:role/break-glass', 'arn:aws:iam::111122223333:user/ops/mary'],
      kmsKey: KEY,
    });
  });

  it('takes buckets, a key and a secret that exist', () => {
    const brought = {
      ingestBucket: 'team-drop',
      targetBucket: 'team.vault',
      targetBucketOwner: '444455556666',
      auditBucket: 'team-evidence',
      auditTable: 'team_trail',
      kmsKey: KEY,
      operationsKey: KEY.replace('1234abcd', '5678abcd'),
      customerKeySecret: SECRET,
    };
    expect(readSettings(given(brought))).toMatchObject(brought);
  });

  it("takes the same stage's bucket back, which outlives the stack", () => {
    const name = 'sealdrop-qa-ingest-111122223333-us-east-1';
    expect(readSettings(given({ ingestBucket: name })).ingestBucket).toBe(name);
  });

  it('names every problem at once', () => {
    expect(problemsOf({ oidcIssuer: null, auditLockMode: 'LEGAL', tracing: 'yes', oidcIsuer: 'https://x.example.com' })).toEqual([
      `oidcIsuer: there is no such parameter; there are ${SETTING_NAMES.join(', ')}`,
      "oidcIssuer is missing: the https URL of who issues the callers' tokens, exactly as in their iss claim",
      'auditLockMode=LEGAL: allowed: GOVERNANCE, COMPLIANCE',
      'tracing=yes: allowed: true, false',
    ]);
  });

  it.each([
    ['oidcIssuer', 'http://login.example.com'],
    ['oidcIssuer', 'login.example.com'],
    ['oidcIssuer', 'https://login.example.com/?a=b'],
    ['breakGlass', 'arn:aws:iam::111122223333:root'],
    ['breakGlass', 'arn:aws:iam::111122223333:role/*'],
    ['breakGlass', 'arn:aws:iam::111122223333:role/a,nobody'],
    ['ingestReaders', 'arn:aws:iam::111122223333:role/*'],
    ['ingestReaders', 'scanner'],
    ['breakGlass', 'arn:aws:sts::111122223333:assumed-role/ops/mary'],
    ['alarmEmail', 'ops'],
    ['auditLockDays', '0'],
    ['auditLockDays', '36501'],
    ['auditLockDays', '1.5'],
    ['noncurrentDays', 'many'],
    ['logRetentionDays', '31'],
    ['partsAboveMiB', '5121'],
    ['partsAboveMiB', 'many'],
    ['partMiB', '4'],
    ['partMiB', '5.5'],
    ['partMiB', ''],
    ['ingestBucket', 'Team-Drop'],
    ['ingestBucket', 'ab'],
    ['ingestBucket', '10.0.0.1'],
    ['targetBucket', 'team..vault'],
    ['targetBucket', 'team-vault--x-s3'],
    ['targetBucketOwner', '12345'],
    ['auditBucket', 'Team-Evidence'],
    ['auditTable', 'ab'],
    ['auditTable', 'arn:aws:dynamodb:us-east-1:111122223333:table/trail'],
    ['operationsKey', 'alias/team'],
    ['kmsKey', 'alias/team'],
    ['kmsKey', '1234abcd-12ab-34cd-56ef-1234567890ab'],
    ['customerKeySecret', 'team/key'],
    ['wrappingKeySecret', 'team/key'],
    ['customerKeySecret', 'arn:aws:secretsmanager:us-east-1:111122223333:secret:team'],
  ])('refuses %s=%s and says what is allowed', (name, value) => {
    const problems = problemsOf({ targetBucket: name === 'targetBucketOwner' ? 'team-vault' : null, [name]: value });
    expect(problems).toEqual([expect.stringMatching(`^${name}=`)]);
    expect(problems[0]).toContain(`${value}: allowed: `);
  });

  it.each([
    ['auditLockDays', '1'],
    ['auditLockDays', '36500'],
    ['partMiB', '5'],
    ['partsAboveMiB', '64'],
    ['partsAboveMiB', '5120'],
    ['ingestBucket', 'abc'],
    ['ingestBucket', 'a'.repeat(63)],
  ])('takes %s=%s', (name, value) => {
    expect(String(Reflect.get(readSettings(given({ [name]: value })), name))).toBe(value);
  });

  it('refuses a bucket of another stage, or of another purpose', () => {
    expect(problemsOf({ ingestBucket: 'sealdrop-prod-ingest-111122223333-us-east-1' })).toEqual([
      expect.stringContaining('it is named like the ingest bucket of stage prod; two stages or purposes cannot share a bucket'),
    ]);
    expect(problemsOf({ targetBucket: 'sealdrop-qa-ingest-111122223333-us-east-1' })).toEqual([
      expect.stringContaining('it is named like the ingest bucket of stage qa'),
    ]);
  });

  it("refuses another stage's table and audit bucket, and takes its own back", () => {
    const named = (what: string, stage: string) => `sealdrop-${stage}-${what}-111122223333-us-east-1`;
    expect(problemsOf({ auditTable: named('audit', 'prod') })).toEqual([
      `auditTable=${named('audit', 'prod')}: it is named like the audit table of stage prod; two stages cannot share a table`,
    ]);
    expect(problemsOf({ auditBucket: named('audit', 'prod') })).toEqual([expect.stringContaining('the audit bucket of stage prod')]);
    expect(problemsOf({ auditBucket: named('target', 'qa') })).toEqual([expect.stringContaining('the target bucket of stage qa')]);
    const own = { auditTable: named('audit', 'qa'), auditBucket: named('audit', 'qa') };
    expect(readSettings(given(own))).toMatchObject(own);
  });

  it('refuses evidence among files, and one key for objects and alarms', () => {
    for (const name of ['ingestBucket', 'targetBucket']) {
      expect(problemsOf({ [name]: 'team-drop', auditBucket: 'team-drop' })).toEqual([
        expect.stringContaining('auditBucket=team-drop: it must be another bucket than ingestBucket and targetBucket'),
      ]);
    }
    expect(problemsOf({ kmsKey: KEY, operationsKey: KEY })).toEqual([
      expect.stringContaining(`operationsKey=${KEY}: it must be another key than kmsKey`),
    ]);
  });

  it('refuses parts that are larger than what is copied in parts', () => {
    expect(problemsOf({ partsAboveMiB: '63' })).toEqual([
      'partsAboveMiB=63: it must not be less than partMiB, 64: an object of one part is one CopyObject',
    ]);
    expect(problemsOf({ partMiB: '5120' })).toEqual([expect.stringContaining('partsAboveMiB=256: it must not be less than partMiB, 5120')]);
    expect(readSettings(given({ partMiB: '5120', partsAboveMiB: '5120' })).partMiB).toBe(5120);
  });

  it('refuses one bucket for both ends', () => {
    expect(problemsOf({ ingestBucket: 'team-drop', targetBucket: 'team-drop' })).toEqual([
      expect.stringContaining('targetBucket=team-drop: it must be another bucket than ingestBucket'),
    ]);
  });

  it('refuses an owner of no brought bucket', () => {
    expect(problemsOf({ targetBucketOwner: '444455556666' })).toEqual([expect.stringContaining('give targetBucket as well')]);
  });

  it('refuses principals of two accounts, in one list or in both', () => {
    const [own, other] = ['arn:aws:iam::111122223333:role/a', 'arn:aws:iam::444455556666:user/b'];
    const refused = [
      "breakGlass, ingestReaders: they name the accounts 111122223333, 444455556666; all ARNs must be of one, the stack's own",
    ];
    expect(problemsOf({ breakGlass: `${own},${other}` })).toEqual(refused);
    expect(problemsOf({ breakGlass: own, ingestReaders: other })).toEqual(refused);
    expect(readSettings(given({ breakGlass: own, ingestReaders: own.replace('/a', '/c') })).ingestReaders).toHaveLength(1);
  });

  it('refuses to record reads of a bucket whose owner is named', () => {
    const brought = { targetBucket: 'team-vault', targetBucketOwner: '444455556666' };
    expect(problemsOf({ ...brought, dataEvents: 'true' })).toEqual([
      expect.stringContaining("dataEvents=true: the trail records reads of the stack's own account, not of 444455556666"),
    ]);
    expect(readSettings(given({ ...brought, targetBucketOwner: null, dataEvents: 'true' })).dataEvents).toBe(true);
  });

  it('refuses keys and a secret of another Region', () => {
    const kmsKey = KEY.replace('us-east-1', 'eu-west-1');
    const customerKeySecret = SECRET.replace('us-east-1', 'eu-west-1');
    const operationsKey = kmsKey.replace('1234abcd', '5678abcd');
    expect(problemsOf({ kmsKey, operationsKey, customerKeySecret })).toEqual([
      `kmsKey=${kmsKey}: it lies in eu-west-1, the stack in us-east-1`,
      `operationsKey=${operationsKey}: it lies in eu-west-1, the stack in us-east-1`,
      `customerKeySecret=${customerKeySecret}: it lies in eu-west-1, the stack in us-east-1`,
    ]);
  });
});
