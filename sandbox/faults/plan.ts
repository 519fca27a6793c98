/** What a fault plan may say: data that a file, a test or a request can hold. Unknown words are errors. */
import { z } from 'zod';

/** The services by the name in the credential scope. */
export const SERVICES = ['s3', 'kms', 'secretsmanager', 'sqs', 'dynamodb', 'lambda', 'sts', 'iam', 'cloudformation'] as const;

/** S3 may answer these with 200 before it knows how they end. */
const FAILS_INSIDE_200 = ['CopyObject', 'UploadPartCopy', 'CompleteMultipartUpload'];
const WRITES = ['PutObject', 'CopyObject', 'CreateMultipartUpload', 'UploadPart', 'UploadPartCopy', 'CompleteMultipartUpload'];
const CHECKSUMMED = ['PutObject', 'CopyObject', 'UploadPart', 'UploadPartCopy', 'CompleteMultipartUpload', 'GetObject', 'HeadObject'];

const milliseconds = z.number().min(0).max(600_000);

const fault = z.discriminatedUnion('kind', [
  /** Answered in place of the work: a throttle, a 500, a secret that is missing. */
  z.strictObject({
    kind: z.literal('error'),
    status: z.int().min(400).max(599),
    code: z.string().regex(/^[A-Za-z][A-Za-z0-9.]*$/),
    message: z.string().optional(),
  }),
  /** The connection breaks: before the work, after it (the answer is lost), or in the middle of the answer's body. */
  z.strictObject({ kind: z.literal('reset'), when: z.enum(['before', 'after', 'mid-body']) }),
  /** Waits before the work: so long for the request, and so long for the bytes that it moves, copied ones included. */
  z
    .strictObject({ kind: z.literal('slow'), latencyMs: milliseconds.optional(), bytesPerSecond: z.number().min(1).optional() })
    .refine((slow) => slow.latencyMs !== undefined || slow.bytesPerSecond !== undefined, 'slow needs latencyMs or bytesPerSecond'),
  /** 200 with an error document; nothing was done. */
  z.strictObject({ kind: z.literal('error-in-200'), code: z.string().regex(/^[A-Za-z]+$/), message: z.string().optional() }),
  /**
   * The headers that ask for encryption are taken and ignored, and so is the bucket's default: the bytes lie readable to whoever may
   * read the object. The answer says nothing of encryption (`silent`, as Ceph RGW does), or names another mode or another key.
   */
  z.strictObject({ kind: z.literal('ignore-encryption'), answer: z.enum(['silent', 'other-mode', 'other-key']).default('silent') }),
  /** Every checksum in the answer differs from the bytes. */
  z.strictObject({ kind: z.literal('wrong-checksum') }),
  /** A table is throttled in the middle of a BatchWriteItem: the first half of the items is written, the rest is handed back. */
  z.strictObject({ kind: z.literal('unprocessed') }),
  /** The execution environment that sent the request ends at once: the call was not done, or was done and nobody hears of it. */
  z.strictObject({ kind: z.literal('kill'), when: z.enum(['before', 'after']) }),
  /** Events of S3 that arrive so many times more. */
  z.strictObject({ kind: z.literal('duplicate'), times: z.int().min(1).max(100).default(1) }),
  /** Events of S3 that arrive later, by a random time up to this; what is delayed differently arrives in another order. */
  z.strictObject({ kind: z.literal('delay'), seconds: z.number().positive().max(900) }),
]);

const rule = z
  .strictObject({
    /** In the report; `rule-1`, `rule-2` … unless given. Its random decisions hang on it. */
    id: z.string().min(1).max(64).optional(),
    /** Any service unless given. S3's own use of KMS is hit only by rules that say `kms`. */
    service: z.enum(SERVICES).optional(),
    /** As the SDK names it, or one of a list; any unless given. Of S3's events: `ObjectCreated:Put` and so on. */
    operation: z.union([z.string(), z.array(z.string()).min(1)]).optional(),
    /**
     * A function by its name (or what follows `-` in it), or everybody but that one; `administrator`; `*` for everybody.
     * Functions alone unless given; of events everybody, since it is S3 that sends them.
     */
    caller: z.union([z.string().min(1), z.strictObject({ not: z.string().min(1) })]).optional(),
    /** Only events that go to this queue, by name or by what follows `-` in it. */
    queue: z.string().min(1).optional(),
    fault,
    /** 0 to 1; default 1. */
    probability: z.number().min(0).max(1).default(1),
    /** Most times that it fires. */
    count: z.int().min(1).optional(),
    /** Skips so many matches first. */
    after: z.int().min(0).default(0),
  })
  .superRefine((rule, context) => {
    const events = isEventFault(rule.fault);
    const target = events ? { service: 's3' } : TARGETS[rule.fault.kind];
    const operations = TARGETS[rule.fault.kind]?.operations;
    if (rule.queue !== undefined && !events) refuse(context, 'queue', 'only faults of events have a queue');
    if (target !== undefined && rule.service !== undefined && rule.service !== target.service)
      refuse(context, 'service', `${rule.fault.kind} is a fault of ${target.service}`);
    const wrong = operations && operationsOf(rule).find((operation) => !operations.includes(operation));
    if (wrong !== undefined) refuse(context, 'operation', `${rule.fault.kind} cannot hit ${wrong}; it hits ${operations?.join(', ')}`);
  });

const plan = z.strictObject({ seed: z.int().default(1), rules: z.array(rule).max(1000) }).superRefine(({ rules }, context) => {
  const ids = rules.map(({ id }, index) => id ?? `rule-${index + 1}`);
  const twice = ids.find((id, index) => ids.indexOf(id) !== index);
  if (twice !== undefined) context.addIssue({ code: 'custom', path: ['rules'], message: `two rules have the id ${twice}` });
});

/** The operations that a kind of fault makes sense for; a kind that is not here hits any. */
export const TARGETS: Partial<Record<Fault['kind'], { service: string; operations: readonly string[] }>> = {
  'error-in-200': { service: 's3', operations: FAILS_INSIDE_200 },
  'ignore-encryption': { service: 's3', operations: WRITES },
  'wrong-checksum': { service: 's3', operations: CHECKSUMMED },
  unprocessed: { service: 'dynamodb', operations: ['BatchWriteItem'] },
};

export type FaultPlan = z.input<typeof plan>;
export type FaultRule = z.input<typeof rule>;
export type ParsedPlan = z.output<typeof plan>;
export type ParsedRule = z.output<typeof rule>;
export type Fault = z.output<typeof fault>;
export type EventFault = Extract<Fault, { kind: 'duplicate' | 'delay' }>;
export type FaultOf<Kind extends Fault['kind']> = Extract<Fault, { kind: Kind }>;

/** A plan that says what no plan can say: every problem, each with its place. */
export class FaultPlanError extends Error {
  override readonly name = 'FaultPlanError';
}

/** @throws FaultPlanError */
export function parsePlan(input: unknown): ParsedPlan {
  const parsed = plan.safeParse(input);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'the plan'}: ${message}`);
  throw new FaultPlanError(`The fault plan cannot be used. ${problems.join('; ')}`);
}

export function operationsOf({ operation }: Pick<ParsedRule, 'operation'>): readonly string[] {
  return operation === undefined ? [] : Array.isArray(operation) ? operation : [operation];
}

export function isEventFault(fault: Fault): fault is EventFault {
  return fault.kind === 'duplicate' || fault.kind === 'delay';
}

function refuse(context: { addIssue(issue: { code: 'custom'; path: string[]; message: string }): void }, member: string, message: string) {
  context.addIssue({ code: 'custom', path: [member], message });
}
