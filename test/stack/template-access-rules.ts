/** What a security reviewer asks of the policies. */
import type { Template } from '../../sandbox/cloudformation/index.ts';
import {
  type Condition,
  covers,
  nameOf,
  type Policy,
  type PolicyKind,
  policiesOf,
  type Statement,
  statementsOf,
} from './template-policies.ts';
import type { Rule } from './template-rules.ts';
import { ofType } from './template-values.ts';

/** AWS's limits in bytes or characters, white space of role policies not counted. */
const MOST: Record<PolicyKind, number> = {
  // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html: a role's inline policies together, its trust policy.
  identity: 10_240,
  trust: 2_048,
  // https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-policies.html
  bucket: 20_480,
  // https://docs.aws.amazon.com/kms/latest/developerguide/resource-limits.html
  key: 32_768,
  // https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html
  secret: 20_480,
  // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/rbac-considerations.html
  table: 20_480,
  // Of a queue's or topic's attributes; unverified, and far above what a reviewer would read.
  queue: 8_192,
  topic: 8_192,
};

const CRYPTOGRAPHIC = [
  'kms:Encrypt',
  'kms:Decrypt',
  'kms:ReEncryptFrom',
  'kms:ReEncryptTo',
  'kms:GenerateDataKey',
  'kms:GenerateDataKeyWithoutPlaintext',
];
const POLICY_ADMINISTRATION = ['s3:PutBucketPolicy', 's3:DeleteBucketPolicy', 's3:GetBucketPolicy'];
/** Also an overwriting of settings, and whatever hands rights on. */
const DESTRUCTIVE =
  /^(iam|sts|organizations|cloudformation|lambda):|:(Delete|Purge|Remove|Schedule|Disable|Bypass|Create(?!LogStream)|Put\w*(Policy|Configuration|Acl)|Update|Tag|Untag)/;
const TLS_KEYS = ['aws:SecureTransport', 's3:TlsVersion'];

export const ACCESS_RULES: Record<string, Rule> = {
  'no wildcard among allowed actions': (template) =>
    allowed(template)
      .filter(({ actions, negations }) => actions.some((action) => action.includes('*')) || negations.includes('NotAction'))
      .map((statement) => finding(statement, `allows ${statement.actions.join(', ') || 'all but some'}`)),

  'no wildcard among resources': (template) =>
    allowed(template)
      .filter(({ kind }) => kind !== 'trust')
      .filter(({ kind, resources, negations }) => resources.some((resource) => isWide(kind, resource)) || negations.includes('NotResource'))
      .map((statement) => finding(statement, `allows it on ${statement.resources.join(', ') || 'all but some'}`)),

  'no wildcard among principals': (template) =>
    statementsOf(template)
      .filter(({ effect, principals, negations }) => (effect === 'Allow' && principals.includes('*')) || negations.includes('NotPrincipal'))
      .map((statement) => finding(statement, `names ${statement.principals.join(', ') || 'all but some'}`)),

  'a service acts only for this account or one resource of it': (template) => [
    ...allowed(template)
      .filter(({ kind, principals }) => kind !== 'trust' && principals.some((principal) => principal.endsWith('.amazonaws.com')))
      .filter(({ conditions }) => !conditions.some(isConfined))
      .map((statement) => finding(statement, `trusts ${statement.principals.join(', ')} for whoever it acts`)),
    ...ofType(template, 'AWS::Lambda::Permission')
      .filter(({ properties }) => properties.SourceArn === undefined && properties.SourceAccount === undefined)
      .map(({ logicalId, properties }) => ({
        subject: logicalId,
        text: `${logicalId} trusts ${properties.Principal} for whoever it acts`,
      })),
  ],

  'keys are used through a service, or for messages of this bucket': (template) =>
    allowed(template)
      .filter((statement) => statement.kind === 'identity' && isCryptographic(statement))
      .filter(({ conditions }) => {
        const exactly = conditions.filter(({ operator }) => operator === 'StringEquals').map(({ key }) => key);
        const forMessages = ['kms:EncryptionContext:sealdrop', 'kms:EncryptionContext:bucket'].every((key) => exactly.includes(key));
        return !exactly.includes('kms:ViaService') && !forMessages;
      })
      .map((statement) => finding(statement, 'uses a key for anything')),

  // ForAllValues holds for a request without keys as well, a Scan's for one: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
  'the table is used by its keys': (template) =>
    allowed(template)
      .filter(({ kind, actions }) => kind === 'identity' && actions.some((action) => action.startsWith('dynamodb:')))
      .filter(({ conditions }) => !(conditions.some(namesLeadingKeys) && conditions.some(asksForLeadingKeys)))
      .map((statement) => finding(statement, 'uses the whole table')),

  'functions neither destroy nor administer': (template) =>
    allowed(template)
      .filter(
        ({ kind, actions }) => kind === 'identity' && actions.some((action) => DESTRUCTIVE.test(action) && action !== 'sqs:DeleteMessage'),
      )
      .map((statement) => finding(statement, `allows ${statement.actions.join(', ')}`)),

  'key policies let roles use the key, not the account': (template) =>
    allowed(template)
      .filter((statement) => statement.kind === 'key' && isCryptographic(statement))
      .filter(({ principals, conditions }) => principals.some(isAccount) && !conditions.some(namesPrincipals))
      .map((statement) => finding(statement, 'lets the whole account use the key')),

  'the account can always change a key policy': (template) =>
    policiesOf(template)
      .filter(({ kind }) => kind === 'key')
      .filter(({ statements }) => !statements.some(administersKey))
      .map(({ logicalId }) => ({ subject: logicalId, text: `${logicalId} locks its account out` })),

  'the account can always change a bucket policy': (template) =>
    statementsOf(template)
      .filter(({ kind, effect, actions, negations }) => {
        const denies = POLICY_ADMINISTRATION.some((action) => actions.some((written) => covers(written, action)));
        return kind === 'bucket' && effect === 'Deny' && (denies || negations.includes('NotAction'));
      })
      .filter(({ conditions }) => conditions.length === 0 || !conditions.every(({ key }) => TLS_KEYS.includes(key)))
      .map((statement) => finding(statement, 'can lock the account out')),

  'grants are for resources of AWS alone': (template) =>
    allowed(template)
      .filter(({ actions }) => actions.some((action) => covers(action, 'kms:CreateGrant')))
      .filter(({ conditions }) => !conditions.some(({ key, values }) => key === 'kms:GrantIsForAWSResource' && values.includes('true')))
      .map((statement) => finding(statement, 'lets grants be made to anyone')),

  'statements are named once': (template) =>
    policiesOf(template).flatMap(({ logicalId, kind, statements }) =>
      statements.flatMap(({ sid }, index) => {
        if (sid === null) return kind === 'trust' ? [] : [{ subject: logicalId, text: `${logicalId}: statement ${index + 1} has no Sid` }];
        const twice = statements.findIndex((other) => other.sid === sid) < index;
        return twice ? [{ subject: sid, text: `${logicalId}: ${sid} is there twice` }] : [];
      }),
    ),

  'policies are within the limits of AWS': (template) =>
    Object.entries(sizes(policiesOf(template)))
      .filter(([, { size, most }]) => size > most)
      .map(([logicalId, { size, most }]) => ({
        subject: logicalId,
        text: `${logicalId} has ${size} characters of policy, AWS takes ${most}`,
      })),

  'roles are for one function each': (template) => {
    const users = new Map<string, string[]>();
    for (const { logicalId, properties } of ofType(template, 'AWS::Lambda::Function')) {
      const role = String(properties.Role);
      users.set(role, [...(users.get(role) ?? []), logicalId]);
    }
    const shared = [...users.values()].filter((functions) => functions.length > 1);
    return shared.map((functions) => ({ subject: functions.join(' '), text: `${functions.join(' and ')} share a role` }));
  },

  'roles are taken by services of AWS alone': (template) =>
    statementsOf(template)
      .filter(
        ({ kind, principals }) =>
          kind === 'trust' && (principals.length === 0 || !principals.every((each) => each.endsWith('.amazonaws.com'))),
      )
      .map((statement) => finding(statement, `can be taken by ${statement.principals.join(', ')}`)),
};

function allowed(template: Template): Statement[] {
  return statementsOf(template).filter(({ effect }) => effect === 'Allow');
}

function finding(statement: Statement, text: string) {
  return { subject: nameOf(statement), text: `${statement.logicalId}, ${statement.sid ?? 'a statement'}: ${text}` };
}

/** Objects of one bucket and streams of one log group are as narrow as can be; a key or secret policy's `*` is the key or secret itself. */
function isWide(kind: PolicyKind, resource: string): boolean {
  if (kind === 'key' || kind === 'secret') return resource !== '*';
  const objects = /^arn:aws:s3:::([^/*?]+)\/[^*?]*\*$/.test(resource);
  const streams = /^arn:aws:logs:[^*?]+:log-group:[^*?]+:\*$/.test(resource);
  return /[*?]/.test(resource) && !objects && !streams;
}

function isConfined({ operator, key }: Condition): boolean {
  return /^(String|Arn)(Equals|Like)$/.test(operator) && (key === 'aws:SourceArn' || key === 'aws:SourceAccount');
}

function isCryptographic({ actions, negations }: Statement): boolean {
  return negations.includes('NotAction') || CRYPTOGRAPHIC.some((action) => actions.some((written) => covers(written, action)));
}

function isAccount(principal: string): boolean {
  return /^(arn:aws:iam::)?\d{12}(:root)?$/.test(principal) || principal === '*';
}

function namesPrincipals({ operator, key, values }: Condition): boolean {
  return /^(Arn|String)Equals$/.test(operator) && key === 'aws:PrincipalArn' && values.every((value) => !/[*?]/.test(value));
}

function namesLeadingKeys({ operator, key, values }: Condition): boolean {
  return (
    /^ForAllValues:String(Equals|Like)$/.test(operator) && key === 'dynamodb:LeadingKeys' && !values.some((value) => /^[*?]/.test(value))
  );
}

function asksForLeadingKeys({ operator, key, values }: Condition): boolean {
  return operator === 'Null' && key === 'dynamodb:LeadingKeys' && values.every((value) => value === 'false');
}

function administersKey({ effect, principals, actions, conditions }: Statement): boolean {
  const changes = actions.some((action) => covers(action, 'kms:PutKeyPolicy'));
  return effect === 'Allow' && principals.some(isAccount) && changes && conditions.length === 0;
}

function sizes(policies: readonly Policy[]): Record<string, { size: number; most: number }> {
  const sums: Record<string, { size: number; most: number }> = {};
  for (const { kind, attachedTo, document } of policies) {
    for (const holder of attachedTo) {
      const name = `${holder.replace(/^<(.*)>$/, '$1')} (${kind})`;
      const size = (sums[name]?.size ?? 0) + Buffer.byteLength(JSON.stringify(document));
      sums[name] = { size, most: MOST[kind] };
    }
  }
  return sums;
}
