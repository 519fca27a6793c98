/** Every resource type that the sandbox knows. */
import { ACCOUNT_ID, PARTITION, REGION } from '../../account.ts';
import type { Definition, Deployed } from '../definition.ts';
import { bucketResources } from './buckets.ts';
import { functionResources } from './functions.ts';
import { identityResources } from './identity.ts';
import { keyResources } from './keys.ts';
import { queueResources } from './queues.ts';
import { restApiResources } from './rest-api.ts';
import { tableResources } from './tables.ts';

export const DEFINITIONS = {
  ...bucketResources,
  ...functionResources,
  ...identityResources,
  ...keyResources,
  ...queueResources,
  ...restApiResources,
  ...tableResources,
} satisfies Record<string, Definition>;

/** Types without a meaning here, by what `Ref` and `Arn` of one would be. Their properties are not looked at. */
export const INERT: Record<string, (name: string) => Deployed> = {
  // Functions' output goes to files; nobody is paged from a laptop.
  'AWS::Logs::LogGroup': (name) => inert(name, `arn:${PARTITION}:logs:${REGION}:${ACCOUNT_ID}:log-group:${name}:*`),
  'AWS::Logs::MetricFilter': (name) => inert(name, ''),
  'AWS::CloudWatch::Alarm': (name) => inert(name, `arn:${PARTITION}:cloudwatch:${REGION}:${ACCOUNT_ID}:alarm:${name}`),
  'AWS::CloudWatch::Dashboard': (name) => inert(name, ''),
  // Where alarms go.
  'AWS::SNS::Topic': (name) => {
    const arn = `arn:${PARTITION}:sns:${REGION}:${ACCOUNT_ID}:${name}`;
    return { physicalId: arn, attributes: { TopicArn: arn, TopicName: name } };
  },
  'AWS::SNS::Subscription': (name) => inert(name, ''),
  'AWS::SNS::TopicPolicy': (name) => inert(name, ''),
};

function inert(name: string, arn: string): Deployed {
  return { physicalId: name, attributes: { Arn: arn } };
}
