/** What rules of EventBridge look for, and tell the topic. */
import type { Text } from './cloudformation.ts';

export interface Watch {
  /** The rule's logical id. */
  id: string;
  /** Behind `sealdrop-STAGE-`. */
  name: string;
  description: string;
  pattern: Record<string, unknown>;
}

/** A value of an event as it is, or its beginning or end: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html */
export type Match = Text | { prefix: string } | { suffix: Text };

/**
 * Calls to a service that change something. They come by CloudTrail, for which the account must have a trail that logs management events;
 * denied ones come only where CloudTrail says what they were about, as it does not for Lambda.
 * @param service as in its host name, such as `kms`
 * @param detail what else the event must say
 */
export function calls(service: string, eventName: Match[], detail: Record<string, unknown>): Record<string, unknown> {
  return {
    source: [`aws.${service}`],
    'detail-type': ['AWS API Call via CloudTrail'],
    detail: { eventSource: [`${service}.amazonaws.com`], eventName, ...detail },
  };
}
