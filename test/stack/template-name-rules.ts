/** Names: of which stage a thing is stands in them, so that two stages never share one. */
import type { Template } from '../../sandbox/cloudformation/index.ts';
import { checkedStage } from '../../stack/stage.ts';
import type { Rule } from './template-rules.ts';
import { isRecord, ofType } from './template-values.ts';

/** The longest stage that packaging takes. */
const LONGEST_STAGE = Array.from({ length: 64 }, (_, length) => length).findLast(isStage) ?? 0;

/** By type: the property that names it, and how long a name may be. */
const NAMES: Record<string, { property: string; most: number; pattern: (stage: string) => RegExp }> = {
  'AWS::S3::Bucket': { property: 'BucketName', most: 63, pattern: accountWide },
  'AWS::SQS::Queue': { property: 'QueueName', most: 80, pattern: accountWide },
  'AWS::DynamoDB::Table': { property: 'TableName', most: 255, pattern: accountWide },
  'AWS::IAM::Role': { property: 'RoleName', most: 64, pattern: accountWide },
  'AWS::SecretsManager::Secret': { property: 'Name', most: 512, pattern: accountWide },
  'AWS::Lambda::Function': { property: 'FunctionName', most: 64, pattern: ofStage },
  'AWS::KMS::Alias': { property: 'AliasName', most: 256, pattern: (stage) => new RegExp(`^alias/sealdrop-${stage}(-|$)`) },
  'AWS::SNS::Topic': { property: 'TopicName', most: 256, pattern: ofStage },
  'AWS::CloudWatch::Alarm': { property: 'AlarmName', most: 255, pattern: ofStage },
  'AWS::CloudWatch::Dashboard': { property: 'DashboardName', most: 255, pattern: ofStage },
  'AWS::Events::Rule': { property: 'Name', most: 64, pattern: ofStage },
  'AWS::CloudTrail::Trail': { property: 'TrailName', most: 128, pattern: ofStage },
  'AWS::Logs::LogGroup': { property: 'LogGroupName', most: 512, pattern: (stage) => new RegExp(`^/aws/[\\w-]+/sealdrop-${stage}-`) },
};

export const NAME_RULES: Record<string, Rule> = {
  'names say the stage': (template, stage) =>
    namesOf(template)
      .filter(({ type, name }) => name !== undefined && NAMES[type]?.pattern(stage).test(name) !== true)
      .map(({ logicalId, name }) => ({ subject: logicalId, text: `${logicalId} is ${name}` })),

  'names fit with the longest stage': (template, stage) =>
    namesOf(template)
      .filter(({ type, name = '' }) => name.length + LONGEST_STAGE - stage.length > (NAMES[type]?.most ?? 0))
      .map(({ logicalId, name = '' }) => ({
        subject: logicalId,
        text: `${logicalId} would have ${name.length + LONGEST_STAGE - stage.length} characters`,
      })),

  'nothing has the name of another': (template) => {
    const all = namesOf(template).filter(({ name }) => name !== undefined);
    const twice = all.filter(({ type, name }, index) => all.findIndex((other) => other.type === type && other.name === name) < index);
    return twice.map(({ logicalId, name }) => ({ subject: logicalId, text: `${logicalId} is a second ${name}` }));
  },
};

/** What two stages in one account would fight over. */
export function sharedNames(one: Template, other: Template): string[] {
  const names = new Set(namesOf(one).flatMap(({ type, name }) => (name === undefined ? [] : [`${type} ${name}`])));
  const exports = new Set(exportsOf(one));
  return [
    ...namesOf(other).flatMap(({ type, name }) => (name !== undefined && names.has(`${type} ${name}`) ? [`${type} ${name}`] : [])),
    ...exportsOf(other).filter((name) => exports.has(name)),
  ];
}

function namesOf(template: Template): { logicalId: string; type: string; name: string | undefined }[] {
  return Object.entries(NAMES).flatMap(([type, { property }]) =>
    ofType(template, type).map(({ logicalId, properties }) => {
      const name = properties[property];
      return { logicalId, type, name: name === undefined ? undefined : String(name) };
    }),
  );
}

function exportsOf(template: Template): string[] {
  return Object.values(template.Outputs).flatMap(({ Export }) => (isRecord(Export) ? [`export ${String(Export.Name)}`] : []));
}

/** Unique in an account and Region, or in the world: with both in the name. */
function accountWide(stage: string): RegExp {
  return new RegExp(`^sealdrop-${stage}-[a-z0-9-]+-123456789012-ap-southeast-1$`);
}

function ofStage(stage: string): RegExp {
  return new RegExp(`^sealdrop-${stage}(-|$)`);
}

function isStage(length: number): boolean {
  try {
    checkedStage('a'.repeat(length));
    return true;
  } catch {
    return false;
  }
}
