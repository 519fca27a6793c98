/** KMS keys: the stack's own, those that the policy names, and those that still open older objects. */
import { DescribeKeyCommand, GetKeyPolicyCommand, GetKeyRotationStatusCommand, type KeyMetadata, type KeyState } from '@aws-sdk/client-kms';
import { decryptKeyArns, namesManagedKey } from '../../../src/policy/keys.ts';
import { awsCommand } from '../aws-command.ts';
import type { Check, DoctorContext } from '../context.ts';
import { error, type Finding, warning } from '../finding.ts';
import { look, type Question } from '../look.ts';
import { type FunctionName, roleArn } from '../names.ts';
import { comparedWith, covers, matches, type Statement, statementsOf } from '../policy-document.ts';
import { encryptKeysOf } from './rights.ts';

const MANAGED_KEY = 'alias/aws/s3';

export const keys: Check = {
  area: 'keys',
  async run(context) {
    const { stack, policy } = context;
    const arns = [...new Set([stack.keyArn, ...decryptKeyArns(policy)])];
    const looks = [...arns.map((arn) => checkKey(context, arn)), ...(namesManagedKey(policy) ? [checkManagedKey(context)] : [])];
    return (await Promise.all(looks)).flat();
  },
};

async function checkKey(context: DoctorContext, arn: string): Promise<Finding[]> {
  const { stack } = context;
  const [, , , region = '', account = ''] = arn.split(':');
  if (region !== stack.region)
    return [
      error('key.other-region', {
        resource: arn,
        what: `the key is in ${region}, the stack and its buckets in ${stack.region}: S3 cannot use it`,
        nextStep: `Name a key of ${stack.region} in ${context.policyFile}.`,
        evidence: { region, stackRegion: stack.region },
      }),
    ];
  const foreign =
    account === stack.account || account === stack.targetBucketOwner
      ? []
      : [
          warning('key.other-account', {
            resource: arn,
            what: `the key belongs to account ${account}, neither the stack's (${stack.account}) nor the target bucket's owner (${stack.targetBucketOwner})`,
            nextStep: `Make sure that this is meant, and that account ${account} lets the roles encrypt and download use it.`,
            evidence: { account },
          }),
        ];
  const looks = [state(context, arn), ...(account === stack.account ? [rotation(context, arn), users(context, arn)] : [])];
  return [...foreign, ...(await Promise.all(looks)).flat()];
}

function asked(arn: string, action: string): Question {
  return { subject: 'key', resource: arn, action };
}

function state({ clients }: DoctorContext, arn: string): Promise<Finding[]> {
  return look(
    asked(arn, 'kms:DescribeKey'),
    () => clients.kms.send(new DescribeKeyCommand({ KeyId: arn })),
    ({ KeyMetadata: key }) => (key === undefined ? [] : [...wrongState(arn, key), ...wrongKind(arn, key)]),
    {
      NotFoundException: () => [
        error('key.missing', {
          resource: arn,
          what: 'there is no such key',
          nextStep: 'Correct the ARN in the policy, and deploy it.',
        }),
      ],
    },
  );
}

/** @see https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html */
function wrongState(arn: string, { KeyState: found, DeletionDate }: KeyMetadata): Finding[] {
  const evidence = { state: found, ...(DeletionDate && { deletionDate: DeletionDate.toISOString() }) };
  const enable = awsCommand('kms', 'enable-key', { 'key-id': arn });
  switch (found satisfies KeyState | undefined) {
    case 'Enabled':
      return [];
    case 'Disabled':
      return [
        error('key.disabled', {
          resource: arn,
          what: 'the key is disabled: nothing can be encrypted under it or opened',
          nextStep: 'Enable the key, then move the messages back from the dead letters.',
          command: enable,
          evidence,
        }),
      ];
    case 'PendingDeletion':
    case 'PendingReplicaDeletion':
      return [
        error('key.pending-deletion', {
          resource: arn,
          what: `the key will be deleted${DeletionDate ? ` on ${DeletionDate.toISOString().slice(0, 10)}` : ''}, and with it whatever is encrypted under it`,
          nextStep: 'Cancel the deletion and enable the key.',
          command: `${awsCommand('kms', 'cancel-key-deletion', { 'key-id': arn })} && ${enable}`,
          evidence,
        }),
      ];
    default:
      return [
        error('key.unusable', {
          resource: arn,
          what: `the key is ${found ?? 'in no known state'}`,
          nextStep: 'Bring the key into the state Enabled, or name another one in the policy.',
          evidence,
        }),
      ];
  }
}

/** @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html */
function wrongKind(arn: string, { KeySpec, KeyUsage }: KeyMetadata): Finding[] {
  if (KeySpec === 'SYMMETRIC_DEFAULT' && KeyUsage === 'ENCRYPT_DECRYPT') return [];
  return [
    error('key.not-symmetric', {
      resource: arn,
      what: `S3 needs a symmetric encryption key, and this one is ${KeySpec ?? 'of no known kind'} for ${KeyUsage ?? 'no known use'}`,
      nextStep: 'Name a symmetric encryption key in the policy.',
      evidence: { keySpec: KeySpec, keyUsage: KeyUsage },
    }),
  ];
}

function rotation({ clients }: DoctorContext, arn: string): Promise<Finding[]> {
  return look(
    asked(arn, 'kms:GetKeyRotationStatus'),
    () => clients.kms.send(new GetKeyRotationStatusCommand({ KeyId: arn })),
    ({ KeyRotationEnabled }) =>
      KeyRotationEnabled === true
        ? []
        : [
            warning('key.not-rotated', {
              resource: arn,
              what: 'the key is never rotated',
              nextStep: 'Enable its rotation: older objects stay readable.',
              command: awsCommand('kms', 'enable-key-rotation', { 'key-id': arn }),
            }),
          ],
    // What is said of the key's state says more than that its rotation cannot be seen.
    {
      NotFoundException: () => [],
      KMSInvalidStateException: () => [],
      DisabledException: () => [],
      UnsupportedOperationException: () => [],
    },
  );
}

/** Whether the key policy leaves the roles' own policies any say; the conditions beside that are for the round trip to try. */
function users(context: DoctorContext, arn: string): Promise<Finding[]> {
  const { clients, stack, policy } = context;
  const encrypts = encryptKeysOf(stack, policy).includes(arn);
  const needs: [FunctionName, string][] = [
    ...(encrypts ? [['encrypt', 'kms:GenerateDataKey'] as [FunctionName, string]] : []),
    ['download', 'kms:Decrypt'],
  ];
  return look(
    asked(arn, 'kms:GetKeyPolicy'),
    () => clients.kms.send(new GetKeyPolicyCommand({ KeyId: arn, PolicyName: 'default' })),
    ({ Policy }) => {
      const statements = statementsOf(Policy);
      return needs
        .filter(([name, action]) => !letsUse(statements, action, roleArn(stack, name), `arn:${stack.partition}:iam::${stack.account}:root`))
        .map(([name, action]) =>
          error('key.role-not-allowed', {
            resource: arn,
            what: `the key policy does not let the function ${name} call ${action}`,
            nextStep: `Allow ${action} to ${roleArn(stack, name)} in the key policy.`,
            evidence: { role: roleArn(stack, name), action, statements: statements.map(({ sid }) => sid) },
          }),
        );
    },
    { NotFoundException: () => [] },
  );
}

/** @see https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html: the account stands for its roles' policies. */
function letsUse(statements: Statement[], action: string, role: string, root: string): boolean {
  const account = root.split(':')[4] ?? '';
  const speaksOf = (statement: Statement) => {
    const only = comparedWith(statement, ['ArnEquals', 'ArnLike', 'StringEquals', 'StringLike'], 'aws:PrincipalArn');
    return (
      covers(statement, action) &&
      statement.principals.some((principal) => [role, root, account, '*'].includes(principal)) &&
      (only.length === 0 || only.some((pattern) => matches(pattern, role)))
    );
  };
  return statements.some((statement) => statement.effect === 'Allow' && speaksOf(statement));
}

/** AWS makes `aws/s3` when it is first used in an account and Region. */
function checkManagedKey({ clients, stack }: DoctorContext): Promise<Finding[]> {
  return look(
    asked(MANAGED_KEY, 'kms:DescribeKey'),
    () => clients.kms.send(new DescribeKeyCommand({ KeyId: MANAGED_KEY })),
    ({ KeyMetadata: key }) => (key === undefined ? [] : wrongState(key.Arn ?? MANAGED_KEY, key)),
    {
      NotFoundException: () => [
        warning('key.managed-key-missing', {
          resource: MANAGED_KEY,
          what: `the policy names aws/s3, which does not exist in ${stack.region} yet`,
          nextStep: 'Let S3 make it: store one object under aws:kms without a key id.',
        }),
      ],
    },
  );
}
