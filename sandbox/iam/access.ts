/** Users, roles and their policies: what the judge of requests asks. */
import { ACCOUNT_ID, ADMINISTRATOR_ARN, PARTITION } from '../account.ts';
import type { Principal } from '../service.ts';
import type { State } from '../state.ts';
import { ACCOUNT_ROOT_ARN, type Identities, type Judge, openJudge } from './judge.ts';
import { type PolicyDocument, parsePolicy } from './policy.ts';
import { roleIdOf } from './unique-id.ts';

/** Policies of a role by name; a document is as the template has it. */
export interface RoleRecord {
  name: string;
  arn: string;
  /** `AROA…` */
  roleId: string;
  trustPolicy: unknown;
  policies: Record<string, unknown>;
}

export interface Access extends Identities {
  judge: Judge;
  /**
   * Creates or replaces a role with its inline policies; policies put by `putRolePolicy` stay.
   * @throws PolicyError
   */
  putRole(name: string, trustPolicy: unknown, inlinePolicies: Record<string, unknown>): { arn: string; roleId: string };
  deleteRole(name: string): void;
  /** A policy that is a resource of its own (`AWS::IAM::Policy`); `owner` tells two of one name apart. @throws PolicyError */
  putRolePolicy(roleNames: readonly string[], owner: string, document: unknown, policyName?: string): void;
  deletePolicy(owner: string): void;
  /** By ARN or name; `null`: there is no such role. */
  findRole(arn: string): RoleRecord | null;
  /** Whether a user or role of this account is there, by ARN: policies of resources may name no others of it. */
  principalExists(arn: string): boolean;
  /** Whether a service of AWS may take on the role. */
  trusts(roleArn: string, service: string): boolean;
}

const ROLE = `arn:${PARTITION}:iam::${ACCOUNT_ID}:role/`;
const EVERYTHING = parsePolicy({ Version: '2012-10-17', Statement: { Effect: 'Allow', Action: '*', Resource: '*' } }, 'identity');
/** One for each state, so that all services see a change at once. */
const opened = new WeakMap<State, Access>();

export function openAccess(state: State): Access {
  const known = opened.get(state);
  if (known !== undefined) return known;
  const access = open(state);
  opened.set(state, access);
  return access;
}

export function roleArn(name: string): string {
  return `${ROLE}${name}`;
}

function open(state: State): Access {
  state.db.exec(`
    CREATE TABLE IF NOT EXISTS iam_roles (name TEXT PRIMARY KEY, trust_policy TEXT NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS iam_policies (
      role TEXT NOT NULL, owner TEXT NOT NULL, name TEXT NOT NULL, document TEXT NOT NULL, PRIMARY KEY (role, owner, name)) STRICT;`);
  const putRole = state.db.prepare('INSERT OR REPLACE INTO iam_roles VALUES (?, ?)');
  const getRole = state.db.prepare('SELECT trust_policy FROM iam_roles WHERE name = ?');
  const dropRole = state.db.prepare('DELETE FROM iam_roles WHERE name = ?');
  const putPolicy = state.db.prepare('INSERT OR REPLACE INTO iam_policies VALUES (?, ?, ?, ?)');
  const getPolicies = state.db.prepare('SELECT owner, name, document FROM iam_policies WHERE role = ? ORDER BY owner, name');
  const dropInline = state.db.prepare("DELETE FROM iam_policies WHERE role = ? AND owner = ''");
  const dropOwned = state.db.prepare('DELETE FROM iam_policies WHERE owner = ?');
  const dropAllOf = state.db.prepare('DELETE FROM iam_policies WHERE role = ?');
  const compiled = new Map<string, readonly PolicyDocument[] | null>();

  function change<T>(work: () => T): T {
    try {
      return state.transaction(work);
    } finally {
      compiled.clear();
    }
  }

  function compile(name: string): readonly PolicyDocument[] | null {
    if (getRole.get(name) === undefined) return null;
    return getPolicies.all(name).map(({ document }) => parsePolicy(String(document), 'identity'));
  }

  const access: Omit<Access, 'judge' | 'principalExists' | 'trusts'> = {
    putRole: (name, trustPolicy, inlinePolicies) =>
      change(() => {
        parsePolicy(Object(trustPolicy), 'trust');
        putRole.run(name, JSON.stringify(trustPolicy));
        dropInline.run(name);
        for (const [policy, document] of Object.entries(inlinePolicies)) {
          parsePolicy(Object(document), 'identity');
          putPolicy.run(name, '', policy, JSON.stringify(document));
        }
        return { arn: roleArn(name), roleId: roleIdOf(roleArn(name)) };
      }),
    deleteRole: (name) =>
      change(() => {
        dropRole.run(name);
        dropAllOf.run(name);
      }),
    putRolePolicy: (roleNames, owner, document, policyName = owner) =>
      change(() => {
        parsePolicy(Object(document), 'identity');
        dropOwned.run(owner);
        for (const role of roleNames) putPolicy.run(role, owner, policyName, JSON.stringify(document));
      }),
    deletePolicy: (owner) => change(() => void dropOwned.run(owner)),
    findRole(arn) {
      const name = arn.slice(arn.lastIndexOf('/') + 1);
      const role = getRole.get(name);
      if (role === undefined) return null;
      const policies = getPolicies.all(name).map((row) => [String(row.name), JSON.parse(String(row.document))] as const);
      return {
        name,
        arn: roleArn(name),
        roleId: roleIdOf(roleArn(name)),
        trustPolicy: JSON.parse(String(role.trust_policy)),
        policies: Object.fromEntries(policies),
      };
    },
    policiesOf(principal) {
      if (principal.roleArn === null) return isOwner(principal) ? [EVERYTHING] : null;
      const name = principal.roleArn.slice(ROLE.length);
      const found = compiled.get(name);
      if (found !== undefined) return found;
      const policies = compile(name);
      compiled.set(name, policies);
      return policies;
    },
  };
  const judge = openJudge(access);
  return {
    ...access,
    judge,
    principalExists: (arn) => arn === ADMINISTRATOR_ARN || access.findRole(arn)?.arn === arn,
    trusts(arn, service) {
      const role = access.findRole(arn);
      if (role === null) return false;
      const resourcePolicy = parsePolicy(Object(role.trustPolicy), 'trust');
      return judge.allows({ principal: { service }, action: 'sts:AssumeRole', resource: role.arn, context: {}, resourcePolicy });
    },
  };
}

/** The administrator and the account itself may do anything, as far as identity policies go. */
function isOwner({ arn }: Principal): boolean {
  return arn === ADMINISTRATOR_ARN || arn === ACCOUNT_ROOT_ARN;
}
