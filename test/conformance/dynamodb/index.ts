/** Everything expected of DynamoDB. */
import type { Expectation } from '../expectation.ts';
import { ITEMS } from './items.ts';
import { QUERIES } from './queries.ts';
import { TABLES } from './tables.ts';

export const DYNAMODB: Expectation[] = [...TABLES, ...ITEMS, ...QUERIES];
