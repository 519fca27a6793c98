/** Audit events and object records; src/audit says how the keys are made. */
import { type Part, ref, retained, sub } from './cloudformation.ts';
import { nameOf } from './names.ts';
import type { Stack } from './stack.ts';

export function auditTable(stack: Stack): Part {
  return {
    Resources: {
      AuditTable: {
        Type: 'AWS::DynamoDB::Table',
        ...retained,
        Properties: {
          TableName: sub(nameOf(stack, 'audit')),
          BillingMode: 'PAY_PER_REQUEST',
          AttributeDefinitions: [
            { AttributeName: 'pk', AttributeType: 'S' },
            { AttributeName: 'sk', AttributeType: 'S' },
          ],
          KeySchema: [
            { AttributeName: 'pk', KeyType: 'HASH' },
            { AttributeName: 'sk', KeyType: 'RANGE' },
          ],
          PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
          SSESpecification: { SSEEnabled: true },
          DeletionProtectionEnabled: true,
        },
      },
    },
    Outputs: { AuditTableName: { Value: ref('AuditTable'), Description: 'Audit events and object records.' } },
  };
}
