/** Roles and their policies, kept for the judge of requests; nothing reads them yet. */
import { ACCOUNT_ID, PARTITION } from '../account.ts';
import type { State } from '../state.ts';

/** Policies of a role by name; a document is as the template has it. */
export interface RoleRecord {
  arn: string;
  trustPolicy: unknown;
  policies: Record<string, unknown>;
}

export interface Access {
  /** Creates or replaces a role with its inline policies; policies put by `putRolePolicy` stay. */
  putRole(name: string, trustPolicy: unknown, inlinePolicies: Record<string, unknown>): void;
  deleteRole(name: string): void;
  /** A policy that is a resource of its own (`AWS::IAM::Policy`); `owner` tells two of one name apart. */
  putRolePolicy(roleNames: readonly string[], owner: string, document: unknown): void;
  deletePolicy(owner: string): void;
  /** `null`: there is no such role. */
  findRole(arn: string): RoleRecord | null;
}

export function openAccess(state: State): Access {
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

  return {
    putRole: (name, trustPolicy, inlinePolicies) =>
      state.transaction(() => {
        putRole.run(name, JSON.stringify(trustPolicy));
        dropInline.run(name);
        for (const [policy, document] of Object.entries(inlinePolicies)) putPolicy.run(name, '', policy, JSON.stringify(document));
      }),
    deleteRole: (name) =>
      state.transaction(() => {
        dropRole.run(name);
        dropAllOf.run(name);
      }),
    putRolePolicy: (roleNames, owner, document) =>
      state.transaction(() => {
        dropOwned.run(owner);
        for (const role of roleNames) putPolicy.run(role, owner, owner, JSON.stringify(document));
      }),
    deletePolicy: (owner) => void dropOwned.run(owner),
    findRole(arn) {
      const name = arn.slice(arn.lastIndexOf('/') + 1);
      const role = getRole.get(name);
      if (role === undefined) return null;
      const policies = getPolicies.all(name).map((row) => [String(row.name), JSON.parse(String(row.document))] as const);
      return { arn: roleArn(name), trustPolicy: JSON.parse(String(role.trust_policy)), policies: Object.fromEntries(policies) };
    },
  };
}

export function roleArn(name: string): string {
  return `arn:${PARTITION}:iam::${ACCOUNT_ID}:role/${name}`;
}
