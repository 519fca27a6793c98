/** The stack's parameters: what there is, what each may be, and every problem of what was given at once. Pure. */
import { z } from 'zod';
import {
  ACCOUNT_ID,
  bucketNameProblem,
  EMAIL,
  KMS_KEY_ARN,
  PRINCIPAL_ARN,
  RETENTION_DAYS,
  SECRET_ARN,
  TABLE_NAME,
} from './setting-values.ts';
import { shownError } from './shown-error.ts';

/** How many days Object Lock and lifecycles take at most. */
const MAX_DAYS = 36_500;

/** Of a part; 5 GiB is also the largest source of one CopyObject: https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
const PART_MIB = { least: 5, most: 5_120 };

/** Lambda streams 200 MB of one answer, and no more: https://docs.aws.amazon.com/lambda/latest/dg/configuration-response-streaming.html */
const STREAMED_MIB = { least: 1, most: 190 };

/** What an account has in most Regions: https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html */
const GATEWAY = { requestsPerSecond: 10_000, requestBurst: 5_000 };

interface Parameter {
  schema: z.ZodType;
  /** As messages say it. */
  allowed: string;
}

/** Whatever Serverless hands over: texts from the command line, numbers and flags from serverless.yml. */
const text = z.union([z.string(), z.number(), z.boolean()]).transform(String);
const flag = z.union([z.boolean(), z.enum(['true', 'false']).transform((word) => word === 'true')]);
const days = z.coerce.number().pipe(z.int().min(1).max(MAX_DAYS));
/** Absent or empty: `null`. */
const optional = <Schema extends z.ZodType<string, string>>(schema: Schema) =>
  z.union([z.literal(['', null]).transform(() => null), text.pipe(schema)]);

const flags = { schema: flag, allowed: 'true, false' };
const partSize = {
  schema: z.coerce.number().pipe(z.int().min(PART_MIB.least).max(PART_MIB.most)),
  allowed: `whole MiB, ${PART_MIB.least} to ${PART_MIB.most}`,
};
const someDays = { schema: days, allowed: `whole days, 1 to ${MAX_DAYS}` };
const bucket = {
  schema: optional(z.string().refine((name) => bucketNameProblem(name) === null)),
  allowed: 'the name of a bucket that exists: 3 to 63 lower-case letters, digits, hyphens and dots',
};

const secret = {
  schema: optional(z.string().regex(SECRET_ARN)),
  allowed: 'the full ARN of a secret, with its six last characters: arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME-abc123',
};

const kmsKey = {
  schema: optional(z.string().regex(KMS_KEY_ARN)),
  allowed: 'the full ARN of a KMS key: arn:aws:kms:REGION:ACCOUNT:key/ID',
};
const principals = {
  schema: z
    .union([z.null().transform(() => ''), text])
    .transform((list) => list.split(',').map((arn) => arn.trim()))
    .transform((arns) => arns.filter((arn) => arn !== ''))
    .pipe(z.array(z.string().regex(PRINCIPAL_ARN))),
  allowed:
    'ARNs of IAM roles or users, with commas between them: arn:aws:iam::ACCOUNT:role/NAME; no wildcards, no sessions, not the root user',
};

const PARAMETERS = {
  policy: { schema: text.pipe(z.string().min(1)), allowed: 'a file in the form of policy.yml' },
  oidcIssuer: {
    schema: text.pipe(z.string().regex(/^https:\/\/[^\s?#]+$/)),
    allowed: "the https URL of who issues the callers' tokens, exactly as in their iss claim",
  },
  oidcAudience: { schema: text.pipe(z.string().min(1).max(255)), allowed: "what the tokens' aud claim must contain" },
  breakGlass: principals,
  ingestReaders: principals,
  alarmEmail: { schema: optional(z.string().regex(EMAIL)), allowed: 'an e-mail address' },
  auditLockMode: { schema: z.enum(['GOVERNANCE', 'COMPLIANCE']), allowed: 'GOVERNANCE, COMPLIANCE' },
  auditLockDays: someDays,
  logRetentionDays: {
    schema: z.coerce.number().refine((value) => RETENTION_DAYS.includes(value)),
    allowed: `what CloudWatch Logs knows: ${RETENTION_DAYS.join(', ')}`,
  },
  tracing: flags,
  dataEvents: flags,
  ingestBucket: bucket,
  targetBucket: bucket,
  targetBucketOwner: { schema: optional(z.string().regex(ACCOUNT_ID)), allowed: 'the 12 digits of an account' },
  auditBucket: bucket,
  auditTable: {
    schema: optional(z.string().regex(TABLE_NAME)),
    allowed: 'the name of a table that exists: 3 to 255 letters, digits, hyphens, underscores and dots',
  },
  kmsKey,
  operationsKey: kmsKey,
  customerKeySecret: secret,
  wrappingKeySecret: secret,
  sourceKeySecret: secret,
  noncurrentDays: someDays,
  requestsPerSecond: {
    schema: z.coerce.number().pipe(z.int().min(1).max(GATEWAY.requestsPerSecond)),
    allowed: `a whole number, 1 to ${GATEWAY.requestsPerSecond}`,
  },
  requestBurst: {
    schema: z.coerce.number().pipe(z.int().min(1).max(GATEWAY.requestBurst)),
    allowed: `a whole number, 1 to ${GATEWAY.requestBurst}`,
  },
  redirectAboveMiB: {
    schema: z.coerce.number().pipe(z.int().min(STREAMED_MIB.least).max(STREAMED_MIB.most)),
    allowed: `whole MiB, ${STREAMED_MIB.least} to ${STREAMED_MIB.most}`,
  },
  partsAboveMiB: partSize,
  partMiB: partSize,
} satisfies Record<string, Parameter>;

export type SettingName = keyof typeof PARAMETERS;
export type Settings = { [Name in SettingName]: z.output<(typeof PARAMETERS)[Name]['schema']> };

export const SETTING_NAMES = Object.keys(PARAMETERS) as SettingName[];

export interface GivenSettings {
  stage: string;
  region: string;
  /** What was found for each known name; `null`: nothing. */
  values: Record<SettingName, unknown>;
  /** Every name that somebody gave, on the command line or in serverless.yml. */
  names: string[];
}

/** @throws an error that names every problem, what is allowed, and how to give it; without a stack trace */
export function readSettings(given: GivenSettings): Settings {
  const unknown = [...new Set(given.names)].filter((name) => !Object.hasOwn(PARAMETERS, name));
  const problems = unknown.map((name) => `${name}: there is no such parameter; there are ${SETTING_NAMES.join(', ')}`);
  const read = SETTING_NAMES.map((name) => [name, readOne(name, given.values[name], problems)] as const);
  // Each value came out of its own schema.
  const settings = Object.fromEntries(read) as Settings;
  if (problems.length === 0) problems.push(...contradictions(settings, given));
  if (problems.length === 0) return settings;
  throw shownError(
    [
      `The parameters of stage ${given.stage} are not valid:`,
      ...problems.map((problem) => `  ${problem}`),
      `Give a parameter with --param name=value, or write it under params.${given.stage} in serverless.yml.`,
    ].join('\n'),
  );
}

function readOne(name: SettingName, value: unknown, problems: string[]): unknown {
  const { schema, allowed } = PARAMETERS[name];
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  problems.push(value === null ? `${name} is missing: ${allowed}` : `${name}=${String(value)}: allowed: ${allowed}`);
  return null;
}

/** What each value alone cannot tell. */
function contradictions(settings: Settings, { stage, region }: GivenSettings): string[] {
  const {
    ingestBucket,
    targetBucket,
    auditBucket,
    auditTable,
    targetBucketOwner,
    kmsKey,
    operationsKey,
    customerKeySecret,
    wrappingKeySecret,
    sourceKeySecret,
  } = settings;
  const problems: string[] = [];
  for (const [name, brought, own] of [
    ['ingestBucket', ingestBucket, 'ingest'],
    ['targetBucket', targetBucket, 'target'],
    ['auditBucket', auditBucket, 'audit'],
    ['auditTable', auditTable, 'audit'],
  ] as const) {
    const [, otherStage, what] = /^sealdrop-(.+)-(ingest|target|audit)-\d{12}-/.exec(brought ?? '') ?? [];
    if (otherStage === undefined || (otherStage === stage && what === own)) continue;
    problems.push(
      name === 'auditTable'
        ? `${name}=${brought}: it is named like the ${what} table of stage ${otherStage}; two stages cannot share a table`
        : `${name}=${brought}: it is named like the ${what} bucket of stage ${otherStage}; two stages or purposes cannot share a bucket`,
    );
  }
  if (targetBucket !== null && targetBucket === ingestBucket) {
    problems.push(`targetBucket=${targetBucket}: it must be another bucket than ingestBucket, or each copy would be a new file to encrypt`);
  }
  if (auditBucket !== null && [ingestBucket, targetBucket].includes(auditBucket)) {
    problems.push(
      `auditBucket=${auditBucket}: it must be another bucket than ingestBucket and targetBucket, or evidence would lie among files`,
    );
  }
  if (operationsKey !== null && operationsKey === kmsKey) {
    problems.push(`operationsKey=${operationsKey}: it must be another key than kmsKey, or an alarm about that key could not be told`);
  }
  if (sourceKeySecret !== null && [customerKeySecret, wrappingKeySecret].includes(sourceKeySecret)) {
    problems.push(
      `sourceKeySecret=${sourceKeySecret}: it must be another secret than customerKeySecret and wrappingKeySecret: it opens sources alone`,
    );
  }
  if (wrappingKeySecret !== null && wrappingKeySecret === customerKeySecret) {
    problems.push(
      `wrappingKeySecret=${wrappingKeySecret}: it must be another secret than customerKeySecret, whose key S3 is given with every request`,
    );
  }
  const { partsAboveMiB, partMiB } = settings;
  if (partsAboveMiB < partMiB) {
    problems.push(`partsAboveMiB=${partsAboveMiB}: it must not be less than partMiB, ${partMiB}: an object of one part is one CopyObject`);
  }
  if (targetBucketOwner !== null && targetBucket === null) {
    problems.push(`targetBucketOwner=${targetBucketOwner}: it says who owns a brought bucket; give targetBucket as well`);
  }
  const accounts = new Set([...settings.breakGlass, ...settings.ingestReaders].map((arn) => arn.split(':')[4]));
  if (accounts.size > 1) {
    problems.push(
      `breakGlass, ingestReaders: they name the accounts ${[...accounts].join(', ')}; all ARNs must be of one, the stack's own`,
    );
  }
  if (settings.dataEvents && targetBucketOwner !== null) {
    problems.push(
      `dataEvents=true: the trail records reads of the stack's own account, not of ${targetBucketOwner}; leave targetBucketOwner out if they are one, or record them there`,
    );
  }
  for (const [name, arn] of Object.entries({ kmsKey, operationsKey, customerKeySecret, wrappingKeySecret, sourceKeySecret })) {
    const elsewhere = arn?.split(':')[3];
    if (elsewhere !== undefined && elsewhere !== region) problems.push(`${name}=${arn}: it lies in ${elsewhere}, the stack in ${region}`);
  }
  return problems;
}
