/** The secrets of the SSE-C customer key and of the wrapping key of `cse-aes`: never their values. */
import { DescribeSecretCommand, type DescribeSecretResponse, GetResourcePolicyCommand } from '@aws-sdk/client-secrets-manager';
import { namesMode } from '../../../src/policy/keys.ts';
import { awsCommand } from '../aws-command.ts';
import type { Check, DoctorContext } from '../context.ts';
import { error, type Finding, warning } from '../finding.ts';
import { look } from '../look.ts';
import { asksFor, covers, statementsOf } from '../policy-document.ts';

const CURRENT = 'AWSCURRENT';
const PENDING = 'AWSPENDING';
const DAY_MS = 24 * 60 * 60 * 1000;

export const secret: Check = {
  area: 'secret',
  async run(context) {
    const looked = secretsOf(context).flatMap((kept) => [state(context, kept), readers(context, kept)]);
    return (await Promise.all(looked)).flat();
  },
};

interface KeptKey {
  SecretId: string;
  /** For people. */
  key: string;
  /** What nobody can open without it. */
  objects: string;
  inUse: boolean;
}

function secretsOf({ stack, policy }: DoctorContext): KeptKey[] {
  const { customerKeySecret, wrappingKeySecret } = stack;
  const wrapping = { key: 'wrapping key', objects: 'objects under cse-aes', inUse: namesMode(policy, 'cse-aes') };
  return [
    { SecretId: customerKeySecret, key: 'customer key', objects: 'objects under SSE-C', inUse: namesMode(policy, 'sse-c') },
    ...(wrappingKeySecret === null ? [] : [{ SecretId: wrappingKeySecret, ...wrapping }]),
  ];
}

function state({ clients }: DoctorContext, kept: KeptKey): Promise<Finding[]> {
  const { SecretId, key, objects } = kept;
  return look(
    { subject: 'secret', resource: SecretId, action: 'secretsmanager:DescribeSecret' },
    () => clients.secrets.send(new DescribeSecretCommand({ SecretId })),
    (found) => [...deleted(kept, found), ...versions(kept, found), ...rotation(SecretId, found)],
    {
      ResourceNotFoundException: () => [
        error('secret.missing', {
          resource: SecretId,
          what: 'there is no such secret',
          nextStep: `Restore the ${key}: ${objects} cannot be opened without it.`,
        }),
      ],
    },
  );
}

function deleted({ SecretId, objects }: KeptKey, { DeletedDate }: DescribeSecretResponse): Finding[] {
  if (DeletedDate === undefined) return [];
  return [
    error('secret.deleted', {
      resource: SecretId,
      what: `the secret was deleted on ${DeletedDate.toISOString().slice(0, 10)} and will soon be gone for ever, and with it all ${objects}`,
      nextStep: 'Restore the secret, then move the messages back from the dead letters.',
      command: awsCommand('secretsmanager', 'restore-secret', { 'secret-id': SecretId }),
      evidence: { deletedDate: DeletedDate.toISOString() },
    }),
  ];
}

function versions({ SecretId, key }: KeptKey, { VersionIdsToStages = {} }: DescribeSecretResponse): Finding[] {
  const labels = Object.values(VersionIdsToStages).flat();
  const evidence = { versions: VersionIdsToStages };
  if (!labels.includes(CURRENT))
    return [
      error('secret.no-current-version', {
        resource: SecretId,
        what: `no version of the secret is labelled ${CURRENT}: there is no ${key} to encrypt with`,
        nextStep: `Store a ${key}, or move ${CURRENT} to the version that has it.`,
        evidence,
      }),
    ];
  const stuck = Object.values(VersionIdsToStages).some((stages) => stages.includes(PENDING) && !stages.includes(CURRENT));
  if (!stuck) return [];
  return [
    warning('secret.rotation-unfinished', {
      resource: SecretId,
      what: `a version is still ${PENDING}: a rotation began and did not end`,
      nextStep: 'Look at the log of the rotation function, then rotate again.',
      evidence,
    }),
  ];
}

function rotation(SecretId: string, { RotationEnabled, NextRotationDate }: DescribeSecretResponse): Finding[] {
  if (RotationEnabled !== true || NextRotationDate === undefined || NextRotationDate.getTime() > Date.now() - DAY_MS) return [];
  return [
    warning('secret.rotation-overdue', {
      resource: SecretId,
      what: `the secret should have been rotated on ${NextRotationDate.toISOString().slice(0, 10)}`,
      nextStep: 'Look at the log of the rotation function.',
      evidence: { nextRotationDate: NextRotationDate.toISOString() },
    }),
  ];
}

function readers({ clients }: DoctorContext, { SecretId, key, inUse }: KeptKey): Promise<Finding[]> {
  const open = () =>
    inUse
      ? [
          warning('secret.readable', {
            resource: SecretId,
            what: `no resource policy keeps others in the account, who may read secrets, from reading the ${key}`,
            nextStep: 'Deny secretsmanager:GetSecretValue to all but the roles encrypt and download in the resource policy of the secret.',
          }),
        ]
      : [];
  return look(
    { subject: 'secret', resource: SecretId, action: 'secretsmanager:GetResourcePolicy' },
    () => clients.secrets.send(new GetResourcePolicyCommand({ SecretId })),
    ({ ResourcePolicy }) => {
      const denies = statementsOf(ResourcePolicy).filter(({ effect }) => effect === 'Deny');
      const guarded = denies.some(
        (statement) => covers(statement, 'secretsmanager:GetSecretValue') && asksFor(statement, 'aws:PrincipalArn'),
      );
      return guarded ? [] : open();
    },
    // What is said of the secret's state says more.
    { ResourceNotFoundException: () => [], InvalidRequestException: () => [] },
  );
}
