/** All concerns in one template. Pure: parameters and policy in, CloudFormation out. */
import { policyFingerprint } from '../src/policy/fingerprint.ts';
import { alarms } from './alarms.ts';
import { apiStage } from './api-stage.ts';
import { auditTable } from './audit-table.ts';
import { bucketPolicies } from './bucket-policies.ts';
import { buckets } from './buckets.ts';
import type { Part } from './cloudformation.ts';
import { dashboard } from './dashboard.ts';
import { dataEvents } from './data-events.ts';
import { objectKey, operationsKey } from './keys.ts';
import { tooLong } from './limits.ts';
import { notifications } from './notifications.ts';
import { queues } from './queues.ts';
import { rightsOf } from './rights.ts';
import { roles } from './roles.ts';
import { customerKey, wrappingKey } from './secret-keys.ts';
import { shownError } from './shown-error.ts';
import { sizes } from './sizes.ts';
import type { Stack } from './stack.ts';

/** @throws an error without a stack trace that names each policy that would be too long for AWS */
export function template(stack: Stack): Part {
  const rights = rightsOf(stack);
  const parts = [
    caller(stack),
    sizes(stack),
    buckets(stack),
    bucketPolicies(stack, rights),
    objectKey(stack, rights),
    operationsKey(stack),
    customerKey(stack, rights),
    wrappingKey(stack, rights),
    queues(stack),
    auditTable(stack, rights),
    roles(stack, rights),
    apiStage(stack),
    notifications(stack),
    alarms(stack),
    dashboard(stack),
    dataEvents(stack),
    {
      Outputs: {
        PolicyFingerprint: { Value: policyFingerprint(stack.policy), Description: 'Which policy.yml was deployed.' },
        SourceHandling: { Value: stack.policy.source, Description: 'What becomes of a source once it is encrypted.' },
      },
    },
  ];
  const whole: Part = {
    Parameters: Object.assign({}, ...parts.map(({ Parameters }) => Parameters)),
    Resources: Object.assign({}, ...parts.map(({ Resources }) => Resources)),
    Outputs: Object.assign({}, ...parts.map(({ Outputs }) => Outputs)),
  };
  const problems = tooLong(stack, whole);
  if (problems.length > 0) throw shownError(problems.join('\n'));
  return whole;
}

/** Who issues callers' tokens: CloudFormation's own parameters, so that a local stack can name its own issuer. */
function caller({ settings }: Stack): Part {
  return {
    Parameters: {
      OidcIssuer: {
        Type: 'String',
        Default: settings.oidcIssuer,
        Description: "The OIDC issuer whose tokens callers bring (its URL, exactly as in the tokens' iss claim).",
      },
      OidcAudience: { Type: 'String', Default: settings.oidcAudience, Description: "What the tokens' aud claim must contain." },
    },
  };
}
