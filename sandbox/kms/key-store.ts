/** KMS keys and aliases, their states and how requests name them. */
import { randomBytes, randomUUID } from 'node:crypto';
import { ACCOUNT_ID, PARTITION, REGION } from '../account.ts';
import type { State } from '../state.ts';
import { disabled, notFound, pendingDeletion } from './errors.ts';
import { accountPolicy, managedPolicy } from './key-policies.ts';
import { openSealer } from './root-key.ts';

const MATERIAL_BYTES = 32;
const ARN_PREFIX = `arn:${PARTITION}:kms:${REGION}:${ACCOUNT_ID}:`;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const MANAGED_ALIAS = /^alias\/aws\/([a-z0-9-]+)$/;
/** Services whose AWS managed key comes to be at first use. */
const MANAGED_SERVICES = ['dynamodb', 'ebs', 'lambda', 's3', 'secretsmanager', 'sns', 'sqs', 'ssm'];

export type KeyState = 'Enabled' | 'Disabled' | 'PendingDeletion';

export type KeyRecord = {
  id: string;
  state: KeyState;
  /** `AWS`: managed by AWS, so that no caller may change it. */
  manager: 'AWS' | 'CUSTOMER';
  description: string;
  policy: string;
  tags: string;
  created_ms: number;
  deletion_ms: number | null;
  rotation_days: number | null;
  rotation_since_ms: number | null;
};

export type AliasRecord = { name: string; key_id: string; created_ms: number; updated_ms: number };

export interface KeyStore {
  /** @param options.id a new one unless given: a test names a key in a policy before there is any */
  create(options: { id?: string; description: string; policy?: string; tags: string; manager: KeyRecord['manager'] }): KeyRecord;
  /** By key id alone; `null`: no such key. */
  find(id: string): KeyRecord | null;
  /** By key id, key ARN, alias name or alias ARN; makes AWS managed keys. Throws `NotFoundException`. */
  require(name: string): KeyRecord;
  /** As `require`, and throws `DisabledException` or `KMSInvalidStateException` unless the key is enabled. */
  requireEnabled(name: string): KeyRecord;
  /** Throws `DisabledException` or `KMSInvalidStateException`. */
  assertEnabled(key: KeyRecord): void;
  /** The 256 bits of the key. */
  material(key: KeyRecord): Buffer;
  update(id: string, change: Partial<Omit<KeyRecord, 'id' | 'manager' | 'created_ms'>>): void;
  /** Ordered by id, those after `after`. */
  list(after: string, limit: number): KeyRecord[];
  aliases(after: string, limit: number, keyId: string | null): AliasRecord[];
  aliasNames(keyId: string): string[];
  alias(name: string): AliasRecord | null;
  putAlias(name: string, keyId: string): void;
  deleteAlias(name: string): void;
}

export function keyArn(id: string): string {
  return `${ARN_PREFIX}key/${id}`;
}

export function aliasArn(name: string): string {
  return `${ARN_PREFIX}${name}`;
}

export function openKeyStore(state: State): KeyStore {
  const { db } = state;
  db.exec(`CREATE TABLE IF NOT EXISTS kms_keys (
      id TEXT PRIMARY KEY, state TEXT NOT NULL, manager TEXT NOT NULL, description TEXT NOT NULL, policy TEXT NOT NULL, tags TEXT NOT NULL,
      created_ms INTEGER NOT NULL, deletion_ms INTEGER, rotation_days INTEGER, rotation_since_ms INTEGER, wrapped_material BLOB NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS kms_aliases (
      name TEXT PRIMARY KEY, key_id TEXT NOT NULL REFERENCES kms_keys (id) ON DELETE CASCADE,
      created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL) STRICT;
    CREATE INDEX IF NOT EXISTS kms_aliases_by_key ON kms_aliases (key_id);`);
  const sealer = openSealer(state, 'kms key material');
  const columns = 'id, state, manager, description, policy, tags, created_ms, deletion_ms, rotation_days, rotation_since_ms';
  const selectKey = db.prepare(`SELECT ${columns} FROM kms_keys WHERE id = ?`);
  const selectKeys = db.prepare(`SELECT ${columns} FROM kms_keys WHERE id > ? ORDER BY id LIMIT ?`);
  const selectMaterial = db.prepare('SELECT wrapped_material FROM kms_keys WHERE id = ?');
  const insertKey = db.prepare(`INSERT INTO kms_keys (${columns}, wrapped_material) VALUES (?, ?, ?, ?, ?, ?, ?, NULL, NULL, NULL, ?)`);
  const updateKey = db.prepare(
    `UPDATE kms_keys SET state = ?, description = ?, policy = ?, tags = ?, deletion_ms = ?, rotation_days = ?, rotation_since_ms = ? WHERE id = ?`,
  );
  const deleteKey = db.prepare('DELETE FROM kms_keys WHERE id = ?');
  const dueKeys = db.prepare('SELECT id FROM kms_keys WHERE deletion_ms <= ?');
  const selectAlias = db.prepare('SELECT * FROM kms_aliases WHERE name = ?');
  const selectAliases = db.prepare('SELECT * FROM kms_aliases WHERE name > ? AND (? IS NULL OR key_id = ?) ORDER BY name LIMIT ?');
  const selectAliasNames = db.prepare('SELECT name FROM kms_aliases WHERE key_id = ? ORDER BY name');
  const upsertAlias = db.prepare(
    'INSERT INTO kms_aliases VALUES (?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET key_id = excluded.key_id, updated_ms = excluded.updated_ms',
  );
  const removeAlias = db.prepare('DELETE FROM kms_aliases WHERE name = ?');
  const materials = new Map<string, Buffer>();

  const store: KeyStore = {
    create({ id = randomUUID(), description, policy = accountPolicy(), tags, manager }) {
      insertKey.run(id, 'Enabled', manager, description, policy, tags, Date.now(), sealer.seal(randomBytes(MATERIAL_BYTES), id));
      return store.require(id);
    },
    find(id) {
      const key = selectKey.get(id) as KeyRecord | undefined;
      if (!key || key.deletion_ms === null || key.deletion_ms > Date.now()) return key ?? null;
      destroy(id);
      return null;
    },
    require(name) {
      const id = name.startsWith('arn:') ? withoutArn(name) : name;
      return id.startsWith('alias/') ? byAlias(id) : byId(id, name);
    },
    requireEnabled(name) {
      const key = store.require(name);
      store.assertEnabled(key);
      return key;
    },
    assertEnabled(key) {
      if (key.state === 'Disabled') throw disabled(keyArn(key.id));
      if (key.state === 'PendingDeletion') throw pendingDeletion(keyArn(key.id));
    },
    material({ id }) {
      const known = materials.get(id);
      if (known) return known;
      const row = selectMaterial.get(id) as { wrapped_material: Uint8Array } | undefined;
      if (!row) throw notFound(`Key '${keyArn(id)}' does not exist`);
      const material = sealer.open(Buffer.from(row.wrapped_material), id);
      materials.set(id, material);
      return material;
    },
    update(id, change) {
      const key = { ...store.require(id), ...change };
      updateKey.run(key.state, key.description, key.policy, key.tags, key.deletion_ms, key.rotation_days, key.rotation_since_ms, id);
    },
    list(after, limit) {
      for (const { id } of dueKeys.all(Date.now()) as { id: string }[]) destroy(id);
      return selectKeys.all(after, limit) as KeyRecord[];
    },
    aliases: (after, limit, keyId) => selectAliases.all(after, keyId, keyId, limit) as AliasRecord[],
    aliasNames: (keyId) => selectAliasNames.all(keyId).map(({ name }) => String(name)),
    alias: (name) => (selectAlias.get(name) as AliasRecord | undefined) ?? null,
    putAlias(name, keyId) {
      upsertAlias.run(name, keyId, Date.now(), Date.now());
    },
    deleteAlias(name) {
      removeAlias.run(name);
    },
  };
  return store;

  function byAlias(name: string): KeyRecord {
    const alias = store.alias(name);
    if (alias) return byId(alias.key_id, alias.key_id);
    const service = MANAGED_ALIAS.exec(name)?.[1];
    if (service === undefined || !MANAGED_SERVICES.includes(service)) throw notFound(`Alias ${aliasArn(name)} is not found.`);
    return state.transaction(() => {
      const description = `Default key that protects my ${service} data when no other key is defined`;
      const key = store.create({ description, policy: managedPolicy(service), tags: '[]', manager: 'AWS' });
      store.putAlias(name, key.id);
      return key;
    });
  }

  function byId(id: string, asGiven: string): KeyRecord {
    if (!UUID.test(id)) throw notFound(`Invalid keyId '${asGiven}'`);
    const key = store.find(id);
    if (!key) throw notFound(`Key '${keyArn(id)}' does not exist`);
    return key;
  }

  /** Deletion is carried out when somebody next looks: until then nobody can tell. */
  function destroy(id: string): void {
    deleteKey.run(id);
    materials.delete(id);
  }
}

function withoutArn(arn: string): string {
  if (!arn.startsWith(ARN_PREFIX)) throw notFound(`Invalid arn ${arn.split(':')[3] ?? ''}`);
  const resource = arn.slice(ARN_PREFIX.length);
  return resource.startsWith('key/') ? resource.slice(4) : resource;
}
