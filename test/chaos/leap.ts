/**
 * Lets a quarter of an hour pass at once: by then the claims of dead functions count for nothing, and no message is hidden or held
 * back any more. Only while nobody is at work: whoever lives would be taken for dead.
 */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { DynamoDBClient, PutItemCommand, paginateScan } from '@aws-sdk/client-dynamodb';
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import type { StackClients } from '../../local/clients.ts';
import type { Sandbox } from '../../sandbox/index.ts';

const LEAP_MS = 15 * 60_000;

interface ClaimItem {
  claim?: { claimedAt: string };
}

export async function leap(clients: StackClients, sandbox: Sandbox, dataDir: string, functionName: string): Promise<void> {
  await ageClaims(clients, sandbox, functionName);
  const db = new DatabaseSync(join(dataDir, 'state.db'));
  const queue = clients.queueUrl.slice(clients.queueUrl.lastIndexOf('/') + 1);
  db.prepare('UPDATE sqs_messages SET visible_ms = ? WHERE queue_id = (SELECT id FROM sqs_queues WHERE name = ?)').run(Date.now(), queue);
  db.close();
  // Nobody told the queue's timers; a message does. As S3's own test event it concerns no object.
  const MessageBody = JSON.stringify({ Service: 'Amazon S3', Event: 's3:TestEvent', Bucket: clients.ingestBucket });
  await clients.sqs.send(new SendMessageCommand({ QueueUrl: clients.queueUrl, MessageBody }));
}

/** The table takes items from functions alone. */
async function ageClaims({ config, auditTable }: StackClients, sandbox: Sandbox, functionName: string): Promise<void> {
  const administrator = new DynamoDBClient(config);
  const encrypt = new DynamoDBClient({ ...config, credentials: sandbox.functionCredentials(functionName) });
  for await (const { Items = [] } of paginateScan({ client: administrator }, { TableName: auditTable })) {
    for (const item of Items) {
      const { claim, ...rest } = unmarshall(item) as ClaimItem;
      if (claim === undefined) continue;
      const claimedAt = new Date(Date.parse(claim.claimedAt) - LEAP_MS).toISOString();
      await encrypt.send(new PutItemCommand({ TableName: auditTable, Item: marshall({ ...rest, claim: { ...claim, claimedAt } }) }));
    }
  }
  administrator.destroy();
  encrypt.destroy();
}
