/** Items under partitions of their own, and queries for them. */
import { PutItemCommand, type PutItemCommandInput, QueryCommand, type QueryCommandInput } from '@aws-sdk/client-dynamodb';
import type { Stage } from '../stage.ts';

export type Item = NonNullable<PutItemCommandInput['Item']>;

/** Puts an item under a partition of its own, unless `item` names one. */
export async function put(stage: Stage, sk: string, item: Item = {}, more: Partial<PutItemCommandInput> = {}) {
  const Key = { pk: item.pk ?? { S: stage.unique() }, sk: { S: sk } };
  await stage.dynamodb.send(new PutItemCommand({ TableName: await stage.table(), Item: { ...item, ...Key }, ...more }));
  return { Key };
}

/** @returns the partition that has these sort keys */
export async function puts(stage: Stage, names: string[]): Promise<string> {
  const pk = { S: stage.unique() };
  for (const name of names) await put(stage, name, { pk });
  return pk.S;
}

export function query(TableName: string, pk: string, condition: string, values: Item, more: Partial<QueryCommandInput>): QueryCommand {
  return new QueryCommand({
    TableName,
    KeyConditionExpression: `pk = :pk ${condition}`,
    ExpressionAttributeValues: { ':pk': { S: pk }, ...values },
    ...more,
  });
}

export async function keys(
  stage: Stage,
  pk: string,
  condition = '',
  values: Item = {},
  more: Partial<QueryCommandInput> = {},
): Promise<string[]> {
  const { Items = [] } = await stage.dynamodb.send(query(await stage.table(), pk, condition, values, more));
  return Items.map(({ sk }) => sk?.S ?? '');
}
