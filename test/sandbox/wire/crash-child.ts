/** Writes through every service, says so, and waits to be killed. */
import { openDynamoDb } from '../../../sandbox/dynamodb/dynamodb.ts';
import { openKms } from '../../../sandbox/kms/kms.ts';
import { openSecretsManager } from '../../../sandbox/secrets-manager/secrets-manager.ts';
import { openSqs } from '../../../sandbox/sqs/sqs.ts';
import { openState } from '../../../sandbox/state.ts';
import { openCredentials } from '../../../sandbox/wire/credentials.ts';

const state = openState(process.argv[2] ?? '');
const kms = openKms(state);
const sqs = openSqs(state);
const dynamodb = openDynamoDb(state);
const { accessKeyId, principal } = openCredentials(state).administrator();
const { ciphertextBlob } = kms.generateDataKey('alias/aws/s3', {}, { principal, viaService: 's3' });
await openSecretsManager(state, kms).call('CreateSecret', { Name: 'kept', SecretString: 'value' });
await sqs.call('CreateQueue', { QueueName: 'kept' });
sqs.send('arn:aws:sqs:us-east-1:000000000000:kept', 'message');
await dynamodb.call('CreateTable', {
  TableName: 'kept',
  BillingMode: 'PAY_PER_REQUEST',
  AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
  KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
});
await dynamodb.call('PutItem', { TableName: 'kept', Item: { pk: { S: 'item' } } });
process.send?.({ accessKeyId, ciphertextBlob: ciphertextBlob.toString('base64') });
setInterval(() => {}, 60_000);
