/** The function that makes copies for downloads, as serverless.yml has the others: it is there only where policy.yml allows such copies. */
import { usesTransit } from '../src/policy/downloads.ts';
import { att, type Text } from './cloudformation.ts';
import { roleId } from './names.ts';
import type { Stack } from './stack.ts';
import { TIMEOUTS } from './timeouts.ts';

/** Copies under way at once; S3 does the work. */
const MAXIMUM_CONCURRENCY = 10;

/** @returns `null`: there is none */
export function transitFunction({ policy }: Stack, environment: Record<string, Text>): Record<string, unknown> | null {
  if (!usesTransit(policy)) return null;
  return {
    handler: 'handlers/transit.handler',
    role: roleId('transit'),
    timeout: TIMEOUTS.transit,
    environment,
    events: [
      {
        sqs: {
          arn: att('TransitQueue', 'Arn'),
          // One copy may take all of a function's time.
          batchSize: 1,
          maximumConcurrency: MAXIMUM_CONCURRENCY,
          functionResponseType: 'ReportBatchItemFailures',
        },
      },
    ],
  };
}
