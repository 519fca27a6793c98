/** Operations that dynalite answers as they are. */
import { z } from 'zod';
import { type JsonOperation, operation } from '../wire/json-service.ts';
import type { Engine } from './engine.ts';

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

export function itemOperations(engine: Promise<Engine>): Record<ItemOperation, JsonOperation> {
  const passOn = (name: ItemOperation, action: string) => operation(action, anyInput, async (input) => (await engine).run(name, input));
  return {
    BatchGetItem: passOn('BatchGetItem', 'dynamodb:BatchGetItem'),
    BatchWriteItem: passOn('BatchWriteItem', 'dynamodb:BatchWriteItem'),
    DeleteItem: passOn('DeleteItem', 'dynamodb:DeleteItem'),
    GetItem: passOn('GetItem', 'dynamodb:GetItem'),
    ListTables: passOn('ListTables', 'dynamodb:ListTables'),
    ListTagsOfResource: passOn('ListTagsOfResource', 'dynamodb:ListTagsOfResource'),
    PutItem: passOn('PutItem', 'dynamodb:PutItem'),
    Query: passOn('Query', 'dynamodb:Query'),
    Scan: passOn('Scan', 'dynamodb:Scan'),
    TagResource: passOn('TagResource', 'dynamodb:TagResource'),
    UntagResource: passOn('UntagResource', 'dynamodb:UntagResource'),
    UpdateItem: passOn('UpdateItem', 'dynamodb:UpdateItem'),
  };
}
