/** The secret of the SSE-C customer key: never its value. */
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
    return (await Promise.all([state(context), readers(context)])).flat();
  },
};

function state({ clients, stack }: DoctorContext): Promise<Finding[]> {
  const SecretId = stack.customerKeySecret;
  return look(
    { subject: 'secret', resource: SecretId, action: 'secretsmanager:DescribeSecret' },
    () => clients.secrets.send(new DescribeSecretCommand({ SecretId })),
    (found) => [...deleted(SecretId, found), ...versions(SecretId, found), ...rotation(SecretId, found)],
    {
      ResourceNotFoundException: () => [
        error('secret.missing', {
          resource: SecretId,
          what: 'there is no such secret',
          nextStep: 'Restore the customer key: objects under SSE-C cannot be opened without it.',
        }),
      ],
    },
  );
}

function deleted(SecretId: string, { DeletedDate }: DescribeSecretResponse): Finding[] {
  if (DeletedDate === undefined) return [];
  return [
    error('secret.deleted', {
      resource: SecretId,
      what: `the secret was deleted on ${DeletedDate.toISOString().slice(0, 10)} and will soon be gone for ever, and with it every object under SSE-C`,
      nextStep: 'Restore the secret, then move the messages back from the dead letters.',
      command: awsCommand('secretsmanager', 'restore-secret', { 'secret-id': SecretId }),
      evidence: { deletedDate: DeletedDate.toISOString() },
    }),
  ];
}

function versions(SecretId: string, { VersionIdsToStages = {} }: DescribeSecretResponse): Finding[] {
  const labels = Object.values(VersionIdsToStages).flat();
  const evidence = { versions: VersionIdsToStages };
  if (!labels.includes(CURRENT))
    return [
      error('secret.no-current-version', {
        resource: SecretId,
        what: `no version of the secret is labelled ${CURRENT}: there is no customer key to encrypt with`,
        nextStep: `Store a customer key, or move ${CURRENT} to the version that has it.`,
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

function readers({ clients, stack, policy }: DoctorContext): Promise<Finding[]> {
  const SecretId = stack.customerKeySecret;
  const open = () =>
    namesMode(policy, 'sse-c')
      ? [
          warning('secret.readable', {
            resource: SecretId,
            what: 'no resource policy keeps others in the account, who may read secrets, from reading the customer key',
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
