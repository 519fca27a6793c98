/** Whether a policy opens a resource to the world. @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html#access-control-block-public-access-policy-status */
import type { Condition, PolicyDocument } from './policy.ts';

/** A fixed value of one of these makes a statement for anyone one for somebody. */
const FIXING_KEYS = new Set(
  [
    'aws:PrincipalAccount',
    'aws:PrincipalArn',
    'aws:PrincipalOrgID',
    'aws:SourceAccount',
    'aws:SourceArn',
    'aws:SourceVpc',
    'aws:SourceVpce',
    'aws:userid',
  ].map((key) => key.toLowerCase()),
);
const FIXING_OPERATORS = /^(StringEquals|StringEqualsIgnoreCase|StringLike|ArnEquals|ArnLike)$/;

/** True when some Allow is for anyone without a condition that says who or from where. */
export function grantsPublicAccess({ statements }: PolicyDocument): boolean {
  return statements.some(
    ({ effect, principals, conditions }) => effect === 'Allow' && principals?.anyone === true && !conditions.some(fixesCaller),
  );
}

function fixesCaller({ operator, key, values }: Condition): boolean {
  return (
    FIXING_OPERATORS.test(operator) && FIXING_KEYS.has(key.toLowerCase()) && values.every((value) => value !== '' && !/[*?]/.test(value))
  );
}
