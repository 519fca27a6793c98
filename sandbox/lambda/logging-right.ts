/** Whether what a function prints is kept. @see https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html */
import { ACCOUNT_ID, PARTITION, REGION } from '../account.ts';
import type { Judge } from '../iam/judge.ts';
import type { Principal } from '../service.ts';

const ACTIONS = ['logs:CreateLogStream', 'logs:PutLogEvents'];
const STREAM = 'sandbox';

/** Without both rights on its log group a function's output is lost, as on AWS. */
export function mayLog(judge: Judge, functionName: string, principal: Principal): boolean {
  const resource = `arn:${PARTITION}:logs:${REGION}:${ACCOUNT_ID}:log-group:/aws/lambda/${functionName}:log-stream:${STREAM}`;
  return ACTIONS.every((action) => judge.allows({ principal, action, resource, context: {}, resourcePolicy: null }));
}
