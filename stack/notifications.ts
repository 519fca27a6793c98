/** Where alarms and what happens to keys and guards are told. */
import { type Part, policyDocument, ref, sub, tlsOnly } from './cloudformation.ts';
import { operationsKeyId } from './keys-in-use.ts';
import { alarmArns, nameOf, topicArn } from './names.ts';
import { notices } from './notices.ts';
import type { Stack } from './stack.ts';

export function notifications(stack: Stack): Part {
  const topic = ref('AlarmTopic');
  const { alarmEmail } = stack.settings;
  return {
    Resources: {
      AlarmTopic: {
        Type: 'AWS::SNS::Topic',
        Properties: { TopicName: sub(nameOf(stack, 'alarms')), KmsMasterKeyId: operationsKeyId(stack) },
      },
      AlarmTopicPolicy: { Type: 'AWS::SNS::TopicPolicy', Properties: { Topics: [topic], PolicyDocument: topicPolicy(stack) } },
      ...(alarmEmail === null
        ? {}
        : { AlarmEmail: { Type: 'AWS::SNS::Subscription', Properties: { TopicArn: topic, Protocol: 'email', Endpoint: alarmEmail } } }),
      ...notices(stack).Resources,
    },
    Outputs: {
      AlarmTopicArn: { Value: topic, Description: 'Where alarms, and what happens to keys and guards, are told: subscribe to it.' },
    },
  };
}

function topicPolicy(stack: Stack) {
  const publish = { Effect: 'Allow' as const, Action: ['sns:Publish'], Resource: sub(topicArn(stack)) };
  return policyDocument([
    {
      Sid: 'AlarmsPublish',
      ...publish,
      Principal: { Service: 'cloudwatch.amazonaws.com' },
      Condition: {
        StringEquals: { 'aws:SourceAccount': ref('AWS::AccountId') },
        ArnLike: { 'aws:SourceArn': sub(alarmArns(stack)) },
      },
    },
    // EventBridge's documentation knows no conditions here: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html#eb-sns-permissions
    { Sid: 'KeyEventsPublish', ...publish, Principal: { Service: 'events.amazonaws.com' } },
    tlsOnly(['sns:Publish'], sub(topicArn(stack))),
  ]);
}
