/** Audit events and object records; src/audit says how the keys are made. */
import { type Part, type PolicyDocument, policyDocument, ref, retained, type Statement, sub } from './cloudformation.ts';
import { nameOf, roleArn, tableArn } from './names.ts';
import { functionsWith, type Rights } from './rights.ts';
import type { Stack } from './stack.ts';

/** What adds an item; a transaction is judged by the same actions: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html */
const ADDITIONS = ['PutItem', 'BatchWriteItem', 'PartiQLInsert'];
const CHANGES = ['DeleteItem', 'PartiQLDelete', 'PartiQLUpdate', 'UpdateItem'];

export function auditTable(stack: Stack, rights: Rights): Part {
  const { auditTable: brought } = stack.settings;
  const outputs = { AuditTableName: { Value: brought ?? ref('AuditTable'), Description: 'Audit events and object records.' } };
  if (brought !== null) return { Outputs: outputs };
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
          // Keeps a deleted table for 35 days: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/PointInTimeRecovery_Howitworks.html
          PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
          SSESpecification: { SSEEnabled: true },
          ResourcePolicy: { PolicyDocument: tablePolicy(stack, rights) },
        },
      },
    },
    Outputs: outputs,
  };
}

/**
 * What happened is added by the functions that do it, and changed by nobody, break-glass among them.
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/rbac-iam-actions.html
 */
function tablePolicy(stack: Stack, rights: Rights): PolicyDocument {
  const arn = sub(tableArn(stack));
  const deny = { Effect: 'Deny', Principal: '*', Resource: arn } as const;
  const additions = ADDITIONS.map((action): Statement => {
    const writers = functionsWith(rights, `dynamodb:${action}`, [arn]).map((name) => sub(roleArn(stack, name)));
    return {
      Sid: `${action}ByFunctionsAlone`,
      ...deny,
      Action: [`dynamodb:${action}`],
      ...(writers.length === 0 ? {} : { Condition: { ArnNotEquals: { 'aws:PrincipalArn': writers } } }),
    };
  });
  return policyDocument([...additions, { Sid: 'NeverChanged', ...deny, Action: CHANGES.map((action) => `dynamodb:${action}`) }]);
}
