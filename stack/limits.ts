/** Policies that grow with policy.yml, measured before AWS refuses them in the middle of a deployment. Pure. */
import type { Part } from './cloudformation.ts';
import type { Stack } from './stack.ts';

/** As long as AWS's own names can be, but for the Region, which is known. */
const LONGEST = {
  'AWS::AccountId': '123456789012',
  'AWS::Partition': 'aws-us-gov',
  'AWS::URLSuffix': 'amazonaws.com.cn',
  'Key.Arn': `arn:aws-us-gov:kms:us-gov-west-1:123456789012:key/mrk-${'0'.repeat(32)}`,
};

/** Bytes of JSON; IAM counts without white space, which there is none of. */
const LIMITS: Record<string, { bytes: number; documents: (properties: Record<string, unknown>) => unknown; page: string }> = {
  'AWS::S3::BucketPolicy': {
    bytes: 20_480,
    documents: ({ PolicyDocument }) => PolicyDocument,
    page: 'https://docs.aws.amazon.com/AmazonS3/latest/userguide/add-bucket-policy.html',
  },
  'AWS::IAM::Role': {
    bytes: 10_240,
    documents: ({ Policies }) => Policies,
    page: 'https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html',
  },
  'AWS::KMS::Key': {
    bytes: 32_768,
    documents: ({ KeyPolicy }) => KeyPolicy,
    page: 'https://docs.aws.amazon.com/kms/latest/developerguide/resource-limits.html',
  },
};

/** @returns one sentence for each policy that AWS would refuse for its length, and what to do */
export function tooLong(stack: Stack, { Resources = {} }: Part): string[] {
  return Object.entries(Resources).flatMap(([id, { Type, Properties }]) => {
    const limit = LIMITS[Type];
    if (limit === undefined) return [];
    const bytes = Buffer.byteLength(JSON.stringify(resolved(limit.documents(Properties), stack)));
    if (bytes <= limit.bytes) return [];
    return [
      `${id}: its policy has ${bytes} bytes, AWS takes ${limit.bytes} (${limit.page}). Name fewer prefixes, suffixes and keys in ${stack.settings.policy}, or fewer principals in breakGlass and ingestReaders.`,
    ];
  });
}

function resolved(value: unknown, stack: Stack): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => resolved(item, stack));
  const names: Record<string, string> = { ...LONGEST, 'AWS::Region': stack.region };
  if ('Ref' in value && typeof value.Ref === 'string') return names[value.Ref] ?? value.Ref;
  if ('Fn::GetAtt' in value && Array.isArray(value['Fn::GetAtt']))
    return names[value['Fn::GetAtt'].join('.')] ?? value['Fn::GetAtt'].join('.');
  if ('Fn::Sub' in value && typeof value['Fn::Sub'] === 'string')
    return value['Fn::Sub'].replace(/\$\{([^!}]+)\}/g, (_, name: string) => names[name] ?? name).replaceAll('${!', '${');
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, resolved(member, stack)]));
}
