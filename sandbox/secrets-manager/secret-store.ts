/** Secrets, their versions and staging labels; values are encrypted under a data key from KMS each. */
import { createCipheriv, createDecipheriv, randomBytes, randomInt, timingSafeEqual } from 'node:crypto';
import { ACCOUNT_ID, PARTITION, REGION } from '../account.ts';
import { AwsError } from '../aws-error.ts';
import type { DataKeys, Principal } from '../service.ts';
import type { State } from '../state.ts';
import { decryptionFailure, encryptionFailure, keyDenied, secretNotFound } from './errors.ts';

export const ARN_PREFIX = `arn:${PARTITION}:secretsmanager:${REGION}:${ACCOUNT_ID}:secret:`;
const SERVICE = 'secretsmanager';
const DEFAULT_KEY = `alias/aws/${SERVICE}`;
const ALPHANUMERIC = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const SUFFIX_LENGTH = 6;
const IV_BYTES = 12;
const TAG_BYTES = 16;
const DAY_MS = 24 * 60 * 60 * 1000;
/** @see https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html */
const KEPT_VERSIONS = 100;

export type Secret = {
  id: number;
  name: string;
  arn: string;
  description: string | null;
  kms_key_id: string | null;
  tags: string;
  created_ms: number;
  changed_ms: number;
  accessed_ms: number | null;
  /** When it was, or is to be, deleted for good. */
  deletion_ms: number | null;
  deleted_ms: number | null;
};

export type Version = { version_id: string; created_ms: number; accessed_ms: number | null };
export type Value = { kind: 'string' | 'binary'; bytes: Buffer };

export interface SecretStore {
  create(options: { name: string; description: string | null; kmsKeyId: string | null; tags: string }): Secret;
  /** By name; `null`: none. */
  findByName(name: string): Secret | null;
  /** By name, ARN or ARN without its random suffix. Throws `ResourceNotFoundException`. */
  require(id: string): Secret;
  update(secret: Secret, change: Partial<Omit<Secret, 'id' | 'name' | 'arn' | 'created_ms' | 'accessed_ms'>>): Secret;
  remove(secret: Secret): void;
  /** Those behind `afterId`, oldest first. */
  list(afterId: number, limit: number, withDeleted: boolean, namePrefix: string): Secret[];
  version(secret: Secret, versionId: string): Version | null;
  versions(secret: Secret): Version[];
  /** With the caller's rights on the key, as all that follows. Throws `AccessDeniedException`, `EncryptionFailure`. */
  addVersion(secret: Secret, versionId: string, value: Value, caller: Principal): void;
  /** Throws `AccessDeniedException`, `DecryptionFailure`. */
  read(secret: Secret, versionId: string, caller: Principal): Value;
  /** Encrypts the version anew, under the secret's key of now. */
  reseal(secret: Secret, versionId: string, caller: Principal): void;
  /** JSON text; `null`: the secret has no policy of its own. */
  policy(secret: Secret): string | null;
  putPolicy(secret: Secret, policy: string | null): void;
  /** label → version id */
  labels(secret: Secret): Map<string, string>;
  attach(secret: Secret, label: string, versionId: string): void;
  detach(secret: Secret, label: string): void;
}

/** An ARN as Secrets Manager makes it, with six random characters at its end. */
export function newArn(name: string): string {
  const suffix = Array.from({ length: SUFFIX_LENGTH }, () => ALPHANUMERIC.charAt(randomInt(ALPHANUMERIC.length)));
  return `${ARN_PREFIX}${name}-${suffix.join('')}`;
}

export function sameValue(a: Value, b: Value): boolean {
  return a.kind === b.kind && a.bytes.length === b.bytes.length && timingSafeEqual(a.bytes, b.bytes);
}

export function openSecretStore(state: State, kms: DataKeys): SecretStore {
  const { db } = state;
  db.exec(`CREATE TABLE IF NOT EXISTS secretsmanager_secrets (
      id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, arn TEXT NOT NULL UNIQUE, description TEXT, kms_key_id TEXT, tags TEXT NOT NULL,
      created_ms INTEGER NOT NULL, changed_ms INTEGER NOT NULL, accessed_ms INTEGER, deletion_ms INTEGER, deleted_ms INTEGER) STRICT;
    CREATE TABLE IF NOT EXISTS secretsmanager_versions (
      secret_id INTEGER NOT NULL REFERENCES secretsmanager_secrets (id) ON DELETE CASCADE, version_id TEXT NOT NULL, kind TEXT NOT NULL,
      sealed BLOB NOT NULL, wrapped_key BLOB NOT NULL, created_ms INTEGER NOT NULL, accessed_ms INTEGER, PRIMARY KEY (secret_id, version_id)) STRICT;
    CREATE TABLE IF NOT EXISTS secretsmanager_labels (
      secret_id INTEGER NOT NULL REFERENCES secretsmanager_secrets (id) ON DELETE CASCADE, label TEXT NOT NULL, version_id TEXT NOT NULL,
      PRIMARY KEY (secret_id, label)) STRICT;
    CREATE TABLE IF NOT EXISTS secretsmanager_policies (
      secret_id INTEGER PRIMARY KEY REFERENCES secretsmanager_secrets (id) ON DELETE CASCADE, policy TEXT NOT NULL) STRICT;`);
  const insertSecret = db.prepare(
    'INSERT INTO secretsmanager_secrets (name, arn, description, kms_key_id, tags, created_ms, changed_ms) VALUES (?, ?, ?, ?, ?, ?, ?)',
  );
  const selectByName = db.prepare('SELECT * FROM secretsmanager_secrets WHERE name = ?');
  const selectByArn = db.prepare('SELECT * FROM secretsmanager_secrets WHERE arn = ?');
  const selectSecrets = db.prepare(
    'SELECT * FROM secretsmanager_secrets WHERE id > ? AND (? OR deleted_ms IS NULL) AND substr(name, 1, ?) = ? ORDER BY id LIMIT ?',
  );
  const saveSecret = db.prepare(
    'UPDATE secretsmanager_secrets SET description = ?, kms_key_id = ?, tags = ?, changed_ms = ?, deletion_ms = ?, deleted_ms = ? WHERE id = ?',
  );
  const removeSecret = db.prepare('DELETE FROM secretsmanager_secrets WHERE id = ?');
  const removeDue = db.prepare('DELETE FROM secretsmanager_secrets WHERE deletion_ms <= ?');
  const upsertVersion = db.prepare(
    `INSERT INTO secretsmanager_versions (secret_id, version_id, kind, sealed, wrapped_key, created_ms) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT (secret_id, version_id) DO UPDATE SET sealed = excluded.sealed, wrapped_key = excluded.wrapped_key`,
  );
  const selectVersions = db.prepare(
    'SELECT version_id, created_ms, accessed_ms FROM secretsmanager_versions WHERE secret_id = ? ORDER BY created_ms DESC, rowid DESC',
  );
  const selectVersion = db.prepare('SELECT * FROM secretsmanager_versions WHERE secret_id = ? AND version_id = ?');
  const touchVersion = db.prepare('UPDATE secretsmanager_versions SET accessed_ms = ? WHERE secret_id = ? AND version_id = ?');
  const touchSecret = db.prepare('UPDATE secretsmanager_secrets SET accessed_ms = ? WHERE id = ?');
  const removeDeprecated = db.prepare(`DELETE FROM secretsmanager_versions WHERE secret_id = ?1 AND created_ms < ?2
    AND version_id NOT IN (SELECT version_id FROM secretsmanager_labels WHERE secret_id = ?1)
    AND version_id NOT IN (SELECT version_id FROM secretsmanager_versions WHERE secret_id = ?1 ORDER BY created_ms DESC LIMIT ${KEPT_VERSIONS})`);
  const selectLabels = db.prepare('SELECT label, version_id FROM secretsmanager_labels WHERE secret_id = ? ORDER BY label');
  const upsertLabel = db.prepare('INSERT OR REPLACE INTO secretsmanager_labels VALUES (?, ?, ?)');
  const removeLabel = db.prepare('DELETE FROM secretsmanager_labels WHERE secret_id = ? AND label = ?');

  const selectPolicy = db.prepare('SELECT policy FROM secretsmanager_policies WHERE secret_id = ?');
  const upsertPolicy = db.prepare('INSERT OR REPLACE INTO secretsmanager_policies VALUES (?, ?)');
  const removePolicy = db.prepare('DELETE FROM secretsmanager_policies WHERE secret_id = ?');

  type VersionRow = Version & { kind: Value['kind']; sealed: Uint8Array; wrapped_key: Uint8Array };
  const contextOf = (secret: Secret, versionId: string) => ({ SecretARN: secret.arn, SecretVersionId: versionId });
  const day = (ms: number) => ms - (ms % DAY_MS);

  const store: SecretStore = {
    create({ name, description, kmsKeyId, tags }) {
      const now = Date.now();
      insertSecret.run(name, newArn(name), description, kmsKeyId, tags, now, now);
      return store.require(name);
    },
    findByName(name) {
      removeDue.run(Date.now());
      return (selectByName.get(name) as Secret | undefined) ?? null;
    },
    require(id) {
      const byName = (name: string) => store.findByName(name);
      const secret = id.startsWith(ARN_PREFIX)
        ? ((selectByArn.get(id) as Secret | undefined) ?? byName(id.slice(ARN_PREFIX.length)))
        : byName(id);
      if (!secret || (secret.deletion_ms !== null && secret.deletion_ms <= Date.now())) throw secretNotFound();
      return secret;
    },
    update(secret, change) {
      const next = { ...secret, ...change };
      const { description, kms_key_id, tags, changed_ms, deletion_ms, deleted_ms, id } = next;
      saveSecret.run(description, kms_key_id, tags, changed_ms, deletion_ms, deleted_ms, id);
      return next;
    },
    remove(secret) {
      removeSecret.run(secret.id);
    },
    list(afterId, limit, withDeleted, namePrefix) {
      removeDue.run(Date.now());
      return selectSecrets.all(afterId, withDeleted ? 1 : 0, namePrefix.length, namePrefix, limit) as Secret[];
    },
    version: (secret, versionId) => (selectVersion.get(secret.id, versionId) as Version | undefined) ?? null,
    versions: (secret) => selectVersions.all(secret.id) as Version[],
    addVersion(secret, versionId, value, caller) {
      const { sealed, wrappedKey } = seal(secret, versionId, value.bytes, caller);
      upsertVersion.run(secret.id, versionId, value.kind, sealed, wrappedKey, Date.now());
      removeDeprecated.run(secret.id, Date.now() - DAY_MS);
    },
    read(secret, versionId, caller) {
      const row = selectVersion.get(secret.id, versionId) as VersionRow | undefined;
      if (!row) throw secretNotFound();
      const value = { kind: row.kind, bytes: open(secret, row, caller) };
      const today = day(Date.now());
      if (row.accessed_ms !== today) touchVersion.run(today, secret.id, versionId);
      if (secret.accessed_ms !== today) touchSecret.run(today, secret.id);
      return value;
    },
    reseal(secret, versionId, caller) {
      store.addVersion(secret, versionId, store.read(secret, versionId, caller), caller);
    },
    policy(secret) {
      const row = selectPolicy.get(secret.id);
      return row === undefined ? null : String(row.policy);
    },
    putPolicy(secret, policy) {
      if (policy === null) removePolicy.run(secret.id);
      else upsertPolicy.run(secret.id, policy);
    },
    labels(secret) {
      const rows = selectLabels.all(secret.id) as { label: string; version_id: string }[];
      return new Map(rows.map(({ label, version_id }) => [label, version_id]));
    },
    attach(secret, label, versionId) {
      upsertLabel.run(secret.id, label, versionId);
    },
    detach(secret, label) {
      removeLabel.run(secret.id, label);
    },
  };
  return store;

  function seal(secret: Secret, versionId: string, bytes: Buffer, principal: Principal): { sealed: Buffer; wrappedKey: Buffer } {
    const dataKey = orFail(encryptionFailure, () =>
      kms.generateDataKey(secret.kms_key_id ?? DEFAULT_KEY, contextOf(secret, versionId), { principal, viaService: SERVICE }),
    );
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv('aes-256-gcm', dataKey.plaintext, iv);
    return { sealed: Buffer.concat([iv, cipher.update(bytes), cipher.final(), cipher.getAuthTag()]), wrappedKey: dataKey.ciphertextBlob };
  }

  function open(secret: Secret, row: VersionRow, principal: Principal): Buffer {
    return orFail(decryptionFailure, () => {
      const { plaintext } = kms.decrypt(Buffer.from(row.wrapped_key), contextOf(secret, row.version_id), {
        principal,
        viaService: SERVICE,
      });
      const sealed = Buffer.from(row.sealed);
      const decipher = createDecipheriv('aes-256-gcm', plaintext, sealed.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES });
      decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
      return Buffer.concat([decipher.update(sealed.subarray(IV_BYTES, sealed.length - TAG_BYTES)), decipher.final()]);
    });
  }
}

/** Callers of Secrets Manager do not learn what was wrong with the key, as on AWS. */
function orFail<Result>(failure: () => Error, work: () => Result): Result {
  try {
    return work();
  } catch (cause) {
    const denied = cause instanceof AwsError && cause.code === 'AccessDeniedException';
    throw Object.assign(denied ? keyDenied() : failure(), { cause });
  }
}
