/** The resource policy of a table. @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/access-control-resource-based.html */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { AwsError } from '../aws-error.ts';
import { PolicyError, parsePolicy } from '../iam/policy.ts';
import { grantsPublicAccess } from '../iam/public.ts';
import { type JsonOperation, operation } from '../wire/json-service.ts';
import type { Engine } from './engine.ts';
import type { TableAccess } from './table-access.ts';
import type { SettingsStore } from './table-settings.ts';

export type PolicyOperation = 'DeleteResourcePolicy' | 'GetResourcePolicy' | 'PutResourcePolicy';

/** https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_PutResourcePolicy.html */
const MAX_BYTES = 20_480;
const ResourceArn = z.string().regex(/^arn:[a-z-]+:dynamodb:[a-z0-9-]+:\d{12}:table\/[A-Za-z0-9_.-]{3,255}$/);

export function policyOperations(
  engine: Promise<Engine>,
  settings: SettingsStore,
  { askTable }: TableAccess,
): Record<PolicyOperation, JsonOperation> {
  /** Throws `ResourceNotFoundException`. */
  async function existing(arn: string): Promise<string> {
    const TableName = arn.slice(arn.indexOf('/') + 1);
    await (await engine).run('DescribeTable', { TableName });
    return TableName;
  }

  return {
    PutResourcePolicy: operation(
      'dynamodb:PutResourcePolicy',
      z.strictObject({ ResourceArn, Policy: z.string().min(1), ConfirmRemoveSelfResourceAccess: z.boolean().optional() }),
      async (input) => {
        const table = await existing(input.ResourceArn);
        const policy = checkedPolicy(input.Policy, settings.get(table).policy ?? null);
        settings.merge(table, { policy });
        return { RevisionId: policy.revision };
      },
      askTable,
    ),
    GetResourcePolicy: operation(
      'dynamodb:GetResourcePolicy',
      z.strictObject({ ResourceArn }),
      async (input) => {
        const { policy } = settings.get(await existing(input.ResourceArn));
        if (!policy) throw new AwsError(400, 'PolicyNotFoundException', `Resource-based policy not found for ${input.ResourceArn}`);
        return { Policy: policy.text, RevisionId: policy.revision };
      },
      askTable,
    ),
    DeleteResourcePolicy: operation(
      'dynamodb:DeleteResourcePolicy',
      z.strictObject({ ResourceArn }),
      async (input) => {
        const table = await existing(input.ResourceArn);
        const { policy } = settings.get(table);
        settings.merge(table, { policy: null });
        return policy ? { RevisionId: policy.revision } : {};
      },
      askTable,
    ),
  };
}

/** The same policy again keeps its revision. @throws AwsError `ValidationException` */
export function checkedPolicy(text: string, before: { text: string; revision: string } | null): { text: string; revision: string } {
  if (Buffer.byteLength(text) > MAX_BYTES) throw invalid(`The policy is longer than ${MAX_BYTES} bytes`);
  try {
    if (grantsPublicAccess(parsePolicy(text, 'resource'))) throw invalid('The policy would let the public in');
  } catch (error) {
    throw error instanceof PolicyError ? invalid(error.message) : error;
  }
  return before?.text === text ? before : { text, revision: randomUUID() };
}

function invalid(message: string): AwsError {
  return new AwsError(400, 'ValidationException', `Invalid policy document: ${message}`);
}
