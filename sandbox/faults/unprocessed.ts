/** A table that takes a part of a batch. */
import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { AwsError } from '../aws-error.ts';
import type { WireRequest } from '../service.ts';
import { changeBody } from './answer.ts';

const CONTENT_TYPE = 'application/x-amz-json-1.0';

type Requests = Record<string, unknown[]>;

/**
 * Leaves the first half of a BatchWriteItem to be done, and hands the rest back in the answer.
 * Throws AwsError when that leaves nothing, as DynamoDB does.
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html
 */
export async function handBackHalf(request: WireRequest, response: ServerResponse): Promise<void> {
  const input = JSON.parse(await text(request.body)) as { RequestItems?: Requests };
  const all = Object.entries(input.RequestItems ?? {}).flatMap(([table, items]) => items.map((item) => [table, item] as const));
  const half = Math.floor(all.length / 2);
  if (half === 0) {
    throw new AwsError(
      400,
      'ProvisionedThroughputExceededException',
      'The level of configured provisioned throughput for the table was exceeded.',
    );
  }
  const body = Buffer.from(JSON.stringify({ ...input, RequestItems: byTable(all.slice(0, half)) }));
  request.body = Readable.from([body], { objectMode: false });
  changeBody(response, CONTENT_TYPE, (json) => JSON.stringify({ ...JSON.parse(json), UnprocessedItems: byTable(all.slice(half)) }));
}

function byTable(requests: readonly (readonly [string, unknown])[]): Requests {
  const tables: Requests = {};
  for (const [table, item] of requests) {
    tables[table] ??= [];
    tables[table].push(item);
  }
  return tables;
}
