/** One thing that AWS's documentation says a service does. */
import type { Stage } from './stage.ts';

export interface Expectation {
  /** Never changes, since differences are explained under it: `s3.sse-c.get-without-key`. */
  id: string;
  /** A fact, as one would say it of the service. */
  title: string;
  /** The page of AWS that says so. */
  page: string;
  /** @throws Difference, or what the SDK throws */
  run(stage: Stage): Promise<void>;
}

const PAGES = {
  's3-api': 'https://docs.aws.amazon.com/AmazonS3/latest/API/',
  's3-guide': 'https://docs.aws.amazon.com/AmazonS3/latest/userguide/',
  'kms-api': 'https://docs.aws.amazon.com/kms/latest/APIReference/',
  'kms-guide': 'https://docs.aws.amazon.com/kms/latest/developerguide/',
  'secrets-api': 'https://docs.aws.amazon.com/secretsmanager/latest/apireference/',
  'secrets-guide': 'https://docs.aws.amazon.com/secretsmanager/latest/userguide/',
  'sqs-api': 'https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/',
  'sqs-guide': 'https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/',
  'dynamodb-api': 'https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/',
  'dynamodb-guide': 'https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/',
} as const;

/** @param page which guide, and the page's name in it */
export function expectation(
  id: string,
  title: string,
  [guide, page]: readonly [keyof typeof PAGES, string],
  run: Expectation['run'],
): Expectation {
  return { id, title, page: `${PAGES[guide]}${page}.html`, run };
}
