import { describe, expect, it } from 'vitest';
import { ACCOUNT_ID, REGION } from '../../sandbox/account.ts';
import type { PolicyDocument } from '../../stack/cloudformation.ts';
import { environment } from '../../stack/environment.ts';
import { rightsOf } from '../../stack/rights.ts';
import { template } from '../../stack/template.ts';
import { BREAK_GLASS, has, judged, plain, policyOf, propertiesOf, roleArn, stackOf } from './stack.ts';

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

  it('is not made where one is brought, and used by the same rights', () => {
    const stack = stackOf(policyOf(), { auditTable: 'team-trail' });
    expect(has(stack, 'AuditTable')).toBe(false);
    expect(template(stack).Outputs?.AuditTableName?.Value).toBe('team-trail');
    expect(plain(environment(stack))).toMatchObject({ encrypt: { AUDIT_TABLE: 'team-trail' }, history: { AUDIT_TABLE: 'team-trail' } });
    const used = Object.values(rightsOf(stack))
      .flat()
      .filter(({ actions }) => actions.some((action) => action.startsWith('dynamodb:')))
      .flatMap(({ resources }) => plain(resources));
    expect([...new Set(used)]).toEqual([`arn:aws:dynamodb:${REGION}:${ACCOUNT_ID}:table/team-trail`]);
  });

  it('can be restored, and taken back by a first deployment that fails', () => {
    expect(rest).toMatchObject({ PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true } });
    expect(rest).not.toHaveProperty('DeletionProtectionEnabled');
  });
});
