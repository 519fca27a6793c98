/** The operations of this S3. What is not here is answered with 501. */
import { BUCKET_OPERATIONS, type BucketOperation } from './bucket/operations.ts';
import type { Definition } from './definition.ts';
import { OBJECT_OPERATIONS, type ObjectOperation } from './object/operations.ts';

export type Operation = BucketOperation | ObjectOperation;

export const OPERATIONS: Record<Operation, Definition> = { ...BUCKET_OPERATIONS, ...OBJECT_OPERATIONS };
