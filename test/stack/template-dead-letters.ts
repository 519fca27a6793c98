/** Which queues take what others could not deliver. */
import type { Template } from '../../sandbox/cloudformation/index.ts';
import { type Found, list, ofType, record } from './template-values.ts';

/** Those that a queue gives its messages up to, and those that rules of EventBridge do. */
export function deadLetterQueues(template: Template): Found[] {
  const all = ofType(template, 'AWS::SQS::Queue');
  const ofQueues = all.map(({ properties }) => record(properties.RedrivePolicy).deadLetterTargetArn);
  const ofRules = ofType(template, 'AWS::Events::Rule').flatMap(({ properties }) =>
    list(properties.Targets).map((target) => record(record(target).DeadLetterConfig).Arn),
  );
  const arns = [...ofQueues, ...ofRules].map(String);
  return all.filter(({ logicalId, properties }) =>
    arns.some((arn) => arn === `<${logicalId}.Arn>` || arn.endsWith(`:${properties.QueueName}`)),
  );
}
