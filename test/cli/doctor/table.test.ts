import { DescribeContinuousBackupsCommand, DescribeTableCommand } from '@aws-sdk/client-dynamodb';
import { describe } from 'vitest';
import { table } from '../../../cli/doctor/checks/table.ts';
import { suite } from './suite.ts';
import { healthyTable, refusal, type World } from './world.ts';

describe('the table', () => {
  const described = (change: object) => (world: World) =>
    world.dynamodb.on(DescribeTableCommand).resolves({ Table: { ...healthyTable, ...change } });
  suite(table, [
    ['none', ({ dynamodb }) => dynamodb.rejects(refusal('ResourceNotFoundException')), ['error table.missing']],
    ['one that is not ready', described({ TableStatus: 'ARCHIVED' }), ['error table.not-active']],
    ['other keys', described({ KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }] }), ['error table.other-keys']],
    ['no KMS key', described({ SSEDescription: undefined }), ['warning table.no-kms-key']],
    ['no way back', ({ dynamodb }) => dynamodb.on(DescribeContinuousBackupsCommand).resolves({}), ['warning table.not-recoverable']],
    [
      'that it may not look',
      ({ dynamodb }) => dynamodb.on(DescribeTableCommand).rejects(refusal('AccessDeniedException')),
      ['warning table.could-not-look'],
    ],
  ]);
});
