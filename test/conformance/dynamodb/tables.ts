/** Tables and their settings. */
import {
  CreateTableCommand,
  DeleteTableCommand,
  DescribeContinuousBackupsCommand,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  PutItemCommand,
  UpdateContinuousBackupsCommand,
  UpdateTableCommand,
  UpdateTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb';
import { matches, refused, same } from '../difference.ts';
import { type Expectation, expectation } from '../expectation.ts';

export const TABLES: Expectation[] = [
  expectation(
    'dynamodb.table.described',
    'a table that exists is ACTIVE, on demand, under its ARN',
    ['dynamodb-api', 'API_DescribeTable'],
    async (stage) => {
      const { Table } = await stage.dynamodb.send(new DescribeTableCommand({ TableName: await stage.table() }));
      same('its state', Table?.TableStatus, 'ACTIVE');
      same('its billing', Table?.BillingModeSummary?.BillingMode, 'PAY_PER_REQUEST');
      matches('its ARN', Table?.TableArn, /^arn:aws[a-z-]*:dynamodb:[a-z0-9-]+:\d{12}:table\/.+$/);
    },
  ),
  expectation(
    'dynamodb.table.missing',
    'a table that is not there is ResourceNotFoundException',
    ['dynamodb-api', 'API_DescribeTable'],
    async (stage) => {
      const TableName = stage.unique('missing');
      await refused(stage.dynamodb.send(new DescribeTableCommand({ TableName })), '400 ResourceNotFoundException');
      await refused(
        stage.dynamodb.send(new PutItemCommand({ TableName, Item: { pk: { S: 'a' }, sk: { S: 'a' } } })),
        '400 ResourceNotFoundException',
      );
    },
  ),
  expectation(
    'dynamodb.table.taken',
    'a name that is taken is ResourceInUseException',
    ['dynamodb-api', 'API_CreateTable'],
    async (stage) => {
      const command = new CreateTableCommand({
        TableName: await stage.table(),
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
        KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
      });
      await refused(stage.dynamodb.send(command), '400 ResourceInUseException');
    },
  ),
  expectation(
    'dynamodb.table.protected',
    'a table with deletion protection is not deleted',
    ['dynamodb-guide', 'WorkingWithTables.Basics'],
    async (stage) => {
      const TableName = await stage.newTable();
      const protect = (DeletionProtectionEnabled: boolean) =>
        stage.dynamodb.send(new UpdateTableCommand({ TableName, DeletionProtectionEnabled }));
      await protect(true);
      await refused(stage.dynamodb.send(new DeleteTableCommand({ TableName })), '400 ValidationException').finally(() => protect(false));
    },
  ),
  expectation(
    'dynamodb.table.recovery',
    'point-in-time recovery is off at first, and stays as it was switched',
    ['dynamodb-api', 'API_UpdateContinuousBackups'],
    async (stage) => {
      const TableName = await stage.newTable();
      const status = async () => {
        const answer = await stage.dynamodb.send(new DescribeContinuousBackupsCommand({ TableName }));
        return answer.ContinuousBackupsDescription?.PointInTimeRecoveryDescription?.PointInTimeRecoveryStatus;
      };
      same('at first', await status(), 'DISABLED');
      const PointInTimeRecoverySpecification = { PointInTimeRecoveryEnabled: true };
      await stage.dynamodb.send(new UpdateContinuousBackupsCommand({ TableName, PointInTimeRecoverySpecification }));
      same('switched on', await status(), 'ENABLED');
    },
  ),
  expectation(
    'dynamodb.table.ttl',
    'expiry is off at first, and stays as it was set',
    ['dynamodb-api', 'API_UpdateTimeToLive'],
    async (stage) => {
      const TableName = await stage.newTable();
      const status = async () => (await stage.dynamodb.send(new DescribeTimeToLiveCommand({ TableName }))).TimeToLiveDescription ?? {};
      same('at first', Reflect.get(await status(), 'TimeToLiveStatus'), 'DISABLED');
      const TimeToLiveSpecification = { Enabled: true, AttributeName: 'expires' };
      await stage.dynamodb.send(new UpdateTimeToLiveCommand({ TableName, TimeToLiveSpecification }));
      same('its attribute', Reflect.get(await status(), 'AttributeName'), 'expires');
    },
  ),
];
