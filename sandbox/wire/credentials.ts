/** Who may sign requests: one administrator and one credential for each function's role. */
import { randomBytes } from 'node:crypto';
import { ACCOUNT_ID, ADMINISTRATOR_ARN, PARTITION } from '../account.ts';
import { userIdOf } from '../iam/unique-id.ts';
import { openSealer, type Sealer } from '../kms/root-key.ts';
import type { Principal } from '../service.ts';
import type { State } from '../state.ts';

const ADMINISTRATOR = 'administrator';
const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

export interface Credential {
  accessKeyId: string;
  secretAccessKey: string;
  /** `null` for the administrator's long-term credential. */
  sessionToken: string | null;
  principal: Principal;
}

export interface Credentials {
  /** `null`: nobody has this access key id. */
  find(accessKeyId: string): Credential | null;
  /** The one long-term credential, made at first use and kept. */
  administrator(): Credential;
  /**
   * The credential named `name` (a function, say). It is kept across restarts and replaced, so that the old one stops
   * working, when the role or session name changes.
   */
  issueForRole(name: string, role: Session): Credential;
  /** One more credential for a session of a role, which lasts until `revoke` or the end of the process. */
  issueForEnvironment(role: Session): { credential: Credential; revoke(): void };
}

export interface Session {
  roleArn: string;
  sessionName: string;
}

type Row = {
  name: string;
  access_key_id: string;
  sealed: Uint8Array;
  principal_arn: string;
  role_arn: string | null;
};

export function openCredentials(state: State): Credentials {
  state.db.exec(`CREATE TABLE IF NOT EXISTS wire_credentials (
    name TEXT PRIMARY KEY, access_key_id TEXT NOT NULL UNIQUE, sealed BLOB NOT NULL, principal_arn TEXT NOT NULL, role_arn TEXT) STRICT`);
  const sealer = openSealer(state, 'credentials');
  const selectAll = state.db.prepare('SELECT * FROM wire_credentials');
  const upsert = state.db.prepare('INSERT OR REPLACE INTO wire_credentials VALUES (?, ?, ?, ?, ?)');

  const byName = new Map<string, Credential>();
  const byKey = new Map<string, Credential>();
  for (const row of selectAll.all() as Row[]) remember(row.name, fromRow(row, sealer));

  function remember(name: string, credential: Credential): void {
    const old = byName.get(name);
    if (old) byKey.delete(old.accessKeyId);
    byName.set(name, credential);
    byKey.set(credential.accessKeyId, credential);
  }

  function issue(name: string, credential: Credential): Credential {
    const { accessKeyId, secretAccessKey, sessionToken, principal } = credential;
    const secrets = JSON.stringify([secretAccessKey, sessionToken]);
    upsert.run(name, accessKeyId, sealer.seal(Buffer.from(secrets), accessKeyId), principal.arn, principal.roleArn);
    remember(name, credential);
    return credential;
  }

  return {
    find: (accessKeyId) => byKey.get(accessKeyId) ?? null,
    administrator() {
      return byName.get(ADMINISTRATOR) ?? issue(ADMINISTRATOR, generate('AKIA', ADMINISTRATOR_ARN, null));
    },
    issueForRole(name, session) {
      const { roleArn } = session;
      const arn = sessionArn(session);
      const stored = byName.get(`role:${name}`);
      if (stored?.principal.arn === arn && stored.principal.roleArn === roleArn) return stored;
      return issue(`role:${name}`, generate('ASIA', arn, roleArn));
    },
    issueForEnvironment(session) {
      const credential = generate('ASIA', sessionArn(session), session.roleArn);
      byKey.set(credential.accessKeyId, credential);
      return { credential, revoke: () => void byKey.delete(credential.accessKeyId) };
    },
  };
}

/** Of a role's session when `roleArn` is given, else for the long term. */
function generate(prefix: 'AKIA' | 'ASIA', arn: string, roleArn: string | null): Credential {
  const accessKeyId = prefix + randomText(16);
  return {
    accessKeyId,
    secretAccessKey: randomBytes(30).toString('base64'),
    sessionToken: roleArn === null ? null : randomBytes(96).toString('base64'),
    principal: principalOf(arn, roleArn, accessKeyId),
  };
}

function sessionArn({ roleArn, sessionName }: Session): string {
  const roleName = roleArn.slice(roleArn.lastIndexOf('/') + 1);
  return `arn:${PARTITION}:sts::${ACCOUNT_ID}:assumed-role/${roleName}/${sessionName}`;
}

function fromRow(row: Row, sealer: Sealer): Credential {
  const [secretAccessKey, sessionToken]: [string, string | null] = JSON.parse(
    sealer.open(Buffer.from(row.sealed), row.access_key_id).toString(),
  );
  const principal = principalOf(row.principal_arn, row.role_arn, row.access_key_id);
  return { accessKeyId: row.access_key_id, secretAccessKey, sessionToken, principal };
}

function principalOf(arn: string, roleArn: string | null, accessKeyId: string): Principal {
  return { arn, roleArn, userId: userIdOf(arn, roleArn), accessKeyId };
}

function randomText(length: number): string {
  return Array.from(randomBytes(length), (byte) => BASE32[byte % BASE32.length]).join('');
}
