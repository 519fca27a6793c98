/** The audit table: there, encrypted and recoverable, which keeps a deleted one as well. */
import { DescribeContinuousBackupsCommand, DescribeTableCommand, type TableDescription } from '@aws-sdk/client-dynamodb';
import { awsCommand } from '../aws-command.ts';
import type { Check, DoctorContext } from '../context.ts';
import { error, type Finding, warning } from '../finding.ts';
import { look } from '../look.ts';

const KEYS = ['pk HASH', 'sk RANGE'];

export const table: Check = {
  area: 'table',
  async run(context) {
    return (await Promise.all([description(context), backups(context)])).flat();
  },
};

function description({ clients, stack }: DoctorContext): Promise<Finding[]> {
  const TableName = stack.auditTable;
  return look(
    { subject: 'table', resource: TableName, action: 'dynamodb:DescribeTable' },
    () => clients.dynamodb.send(new DescribeTableCommand({ TableName })),
    ({ Table = {} }) => [...unusable(TableName, Table), ...unprotected(TableName, Table)],
    {
      ResourceNotFoundException: () => [
        error('table.missing', {
          resource: TableName,
          what: 'there is no such table: nothing can be recorded, and so nothing is encrypted or served',
          nextStep: 'Restore the table from its backup, or deploy the stack again.',
        }),
      ],
    },
  );
}

function unusable(resource: string, { TableStatus, KeySchema = [] }: TableDescription): Finding[] {
  const found = KeySchema.map(({ AttributeName, KeyType }) => `${AttributeName} ${KeyType}`);
  const findings: Finding[] = [];
  if (TableStatus !== 'ACTIVE' && TableStatus !== 'UPDATING')
    findings.push(
      error('table.not-active', {
        resource,
        what: `the table is ${TableStatus ?? 'in no known state'}`,
        nextStep: 'Wait until it is ACTIVE.',
        evidence: { status: TableStatus },
      }),
    );
  if (!KEYS.every((key) => found.includes(key)))
    findings.push(
      error('table.other-keys', {
        resource,
        what: `the table's keys are ${found.join(', ')}, not ${KEYS.join(', ')}`,
        nextStep: 'Deploy the stack: it makes the table with the keys that it needs.',
        evidence: { found, expected: KEYS },
      }),
    );
  return findings;
}

function unprotected(resource: string, { SSEDescription }: TableDescription): Finding[] {
  const findings: Finding[] = [];
  // A table without this description is encrypted too, under DynamoDB's own key, which nobody sees in CloudTrail.
  if (SSEDescription?.Status !== 'ENABLED')
    findings.push(
      warning('table.no-kms-key', {
        resource,
        what: 'the table is not encrypted under a KMS key',
        nextStep: 'Turn its encryption under KMS on.',
        command: awsCommand('dynamodb', 'update-table', { 'table-name': resource, 'sse-specification': 'Enabled=true' }),
      }),
    );
  return findings;
}

function backups({ clients, stack }: DoctorContext): Promise<Finding[]> {
  const TableName = stack.auditTable;
  return look(
    { subject: 'table', resource: TableName, action: 'dynamodb:DescribeContinuousBackups' },
    () => clients.dynamodb.send(new DescribeContinuousBackupsCommand({ TableName })),
    ({ ContinuousBackupsDescription: found }) =>
      found?.PointInTimeRecoveryDescription?.PointInTimeRecoveryStatus === 'ENABLED'
        ? []
        : [
            warning('table.not-recoverable', {
              resource: TableName,
              what: 'the table cannot be brought back to an earlier moment',
              nextStep: 'Enable point-in-time recovery.',
              command: awsCommand('dynamodb', 'update-continuous-backups', {
                'table-name': TableName,
                'point-in-time-recovery-specification': 'PointInTimeRecoveryEnabled=true',
              }),
            }),
          ],
    { TableNotFoundException: () => [], ResourceNotFoundException: () => [] },
  );
}
