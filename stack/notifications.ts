/** Where alarms and what happens to keys are told. */
import { decryptKeyArns } from '../src/policy/keys.ts';
import { type Part, policyDocument, type Resource, ref, sub, type Text, tlsOnly } from './cloudformation.ts';
import { customerKeySecret, stackKey } from './keys-in-use.ts';
import { alarmArns, nameOf, stackName, topicArn } from './names.ts';
import type { Stack } from './stack.ts';

/** What is done to a key or its policy, as CloudTrail names it. */
const KEY_CHANGES = [
  'CancelKeyDeletion',
  'DisableKey',
  'DisableKeyRotation',
  'EnableKey',
  'PutKeyPolicy',
  'RotateKeyOnDemand',
  'ScheduleKeyDeletion',
];
const SECRET_CHANGES = [
  'CancelRotateSecret',
  'DeleteResourcePolicy',
  'DeleteSecret',
  'PutResourcePolicy',
  'PutSecretValue',
  'RestoreSecret',
  'RotateSecret',
  'UpdateSecret',
  'UpdateSecretVersionStage',
];

export function notifications(stack: Stack): Part {
  const topic = ref('AlarmTopic');
  const { alarmEmail } = stack.settings;
  return {
    Resources: {
      AlarmTopic: {
        Type: 'AWS::SNS::Topic',
        Properties: { TopicName: sub(nameOf(stack, 'alarms')), KmsMasterKeyId: ref('OperationsKey') },
      },
      AlarmTopicPolicy: { Type: 'AWS::SNS::TopicPolicy', Properties: { Topics: [topic], PolicyDocument: topicPolicy(stack) } },
      ...(alarmEmail === null
        ? {}
        : { AlarmEmail: { Type: 'AWS::SNS::Subscription', Properties: { TopicArn: topic, Protocol: 'email', Endpoint: alarmEmail } } }),
      ...keyEvents(stack),
    },
    Outputs: { AlarmTopicArn: { Value: topic, Description: 'Where alarms and key events are told: subscribe to it.' } },
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

/**
 * KMS itself tells of rotations and deletions; what people do to keys and secrets comes by CloudTrail, for which the account must have a trail
 * that logs management events.
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/kms-events.html
 */
function keyEvents(stack: Stack): Record<string, Resource> {
  const keys = keysToWatch(stack);
  const secret = customerKeySecret(stack);
  // Callers may name a secret by ARN or by name.
  const secretIds = [secret, ...(stack.settings.customerKeySecret === null ? [sub(nameOf(stack, 'customer-key'))] : [])];
  return {
    KeyLifeRule: rule(stack, 'key-life', 'A key was rotated or deleted, or its imported material has expired.', {
      source: ['aws.kms'],
      'detail-type': ['KMS CMK Rotation', 'KMS CMK Deletion', 'KMS Imported Key Material Expiration'],
      resources: keys,
    }),
    KeyChangeRule: rule(
      stack,
      'key-changes',
      'Somebody disabled, enabled or scheduled a key for deletion, or changed its policy or rotation.',
      {
        source: ['aws.kms'],
        'detail-type': ['AWS API Call via CloudTrail'],
        detail: { eventSource: ['kms.amazonaws.com'], eventName: KEY_CHANGES, resources: { ARN: keys } },
      },
    ),
    SecretChangeRule: rule(stack, 'secret-changes', 'Somebody changed the customer key, its policy or its versions.', {
      source: ['aws.secretsmanager'],
      'detail-type': ['AWS API Call via CloudTrail'],
      detail: { eventSource: ['secretsmanager.amazonaws.com'], eventName: SECRET_CHANGES, requestParameters: { secretId: secretIds } },
    }),
  };
}

function keysToWatch(stack: Stack): Text[] {
  const own = stackKey(stack);
  return [own, ...decryptKeyArns(stack.policy).filter((arn) => arn !== own)];
}

function rule(stack: Stack, name: string, Description: string, EventPattern: Record<string, unknown>): Resource {
  return {
    Type: 'AWS::Events::Rule',
    Properties: {
      Name: `${stackName(stack)}-${name}`,
      Description,
      EventPattern,
      State: 'ENABLED',
      Targets: [{ Id: 'alarms', Arn: ref('AlarmTopic') }],
    },
  };
}
