/** Operations that dynalite answers as they are. */
import { z } from 'zod';
import { type Asked, type JsonObject, type JsonOperation, operation } from '../wire/json-service.ts';
import type { Engine } from './engine.ts';
import type { TableAccess } from './table-access.ts';

export type ItemOperation =
  | 'BatchGetItem'
  | 'BatchWriteItem'
  | 'DeleteItem'
  | 'GetItem'
  | 'ListTables'
  | 'ListTagsOfResource'
  | 'PutItem'
  | 'Query'
  | 'Scan'
  | 'TagResource'
  | 'UntagResource'
  | 'UpdateItem';

/** dynalite checks the members itself, in DynamoDB's words. */
const anyInput = z.record(z.string(), z.unknown());

type Asks = (input: JsonObject) => readonly Asked[] | Promise<readonly Asked[]>;

export function itemOperations(engine: Promise<Engine>, access: TableAccess): Record<ItemOperation, JsonOperation> {
  const { askTable, askItem, askPut, askQuery, askBatch } = access;
  const passOn = (name: ItemOperation, action: string, asks?: Asks) =>
    operation(action, anyInput, async (input) => (await engine).run(name, input), asks);
  return {
    BatchGetItem: passOn('BatchGetItem', 'dynamodb:BatchGetItem', askBatch),
    BatchWriteItem: passOn('BatchWriteItem', 'dynamodb:BatchWriteItem', askBatch),
    DeleteItem: passOn('DeleteItem', 'dynamodb:DeleteItem', askItem),
    GetItem: passOn('GetItem', 'dynamodb:GetItem', askItem),
    ListTables: passOn('ListTables', 'dynamodb:ListTables'),
    ListTagsOfResource: passOn('ListTagsOfResource', 'dynamodb:ListTagsOfResource', askTable),
    PutItem: passOn('PutItem', 'dynamodb:PutItem', askPut),
    Query: passOn('Query', 'dynamodb:Query', askQuery),
    Scan: passOn('Scan', 'dynamodb:Scan', askTable),
    TagResource: passOn('TagResource', 'dynamodb:TagResource', askTable),
    UntagResource: passOn('UntagResource', 'dynamodb:UntagResource', askTable),
    UpdateItem: passOn('UpdateItem', 'dynamodb:UpdateItem', askItem),
  };
}
