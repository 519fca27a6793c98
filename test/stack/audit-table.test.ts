import { describe, expect, it } from 'vitest';
import { ACCOUNT_ID, REGION } from '../../sandbox/account.ts';
import type { PolicyDocument } from '../../stack/cloudformation.ts';
import { BREAK_GLASS, judged, policyOf, propertiesOf, roleArn, stackOf } from './stack.ts';

const TABLE = `arn:aws:dynamodb:${REGION}:${ACCOUNT_ID}:table/sealdrop-qa-audit-${ACCOUNT_ID}-${REGION}`;
const FUNCTIONS = ['encrypt', 'audit', 'authorize', 'download', 'list', 'history', 'health'].map(roleArn);
const PEOPLE = [`arn:aws:iam::${ACCOUNT_ID}:role/Admin`, BREAK_GLASS];

describe('the audit table, whatever roles allow', () => {
  const { ResourcePolicy, ...rest } = propertiesOf(stackOf(policyOf(), { breakGlass: [BREAK_GLASS] }), 'AuditTable');
  const { PolicyDocument } = ResourcePolicy as { PolicyDocument: PolicyDocument };
  const who = (action: string) =>
    [...FUNCTIONS, ...PEOPLE].filter((role) => judged(PolicyDocument, { role, action: `dynamodb:${action}`, resource: TABLE }).allowed);

  it('takes items of the functions that record, and of nobody else', () => {
    expect(who('PutItem')).toEqual(['encrypt', 'audit', 'download', 'list', 'history'].map(roleArn));
    expect(who('BatchWriteItem')).toEqual(['encrypt', 'audit'].map(roleArn));
    expect(who('PartiQLInsert')).toEqual([]);
  });

  it.each(['UpdateItem', 'DeleteItem', 'PartiQLUpdate', 'PartiQLDelete'])('refuses everybody %s, break-glass among them', (action) => {
    expect(who(action)).toEqual([]);
  });

  it.each(['Query', 'GetItem', 'Scan', 'PutResourcePolicy', 'DeleteResourcePolicy', 'DeleteTable', 'UpdateTable', 'DescribeTable'])(
    'leaves %s to roles, so that the account can always administer it',
    (action) => {
      expect(who(action)).toEqual([...FUNCTIONS, ...PEOPLE]);
    },
  );

  it('can be restored, and taken back by a first deployment that fails', () => {
    expect(rest).toMatchObject({ PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true } });
    expect(rest).not.toHaveProperty('DeletionProtectionEnabled');
  });
});
