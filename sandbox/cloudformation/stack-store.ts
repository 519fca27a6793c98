/** What was deployed: kept so that a restart finds every resource again. */
import type { State } from '../state.ts';
import type { Deployed } from './definition.ts';

export interface ResourceRecord extends Deployed {
  logicalId: string;
  type: string;
  /** Property name to a hash of its value: enough to see what changed, and no value is kept. */
  fingerprints: Record<string, string>;
  /** Its DeletionPolicy: it stays when the template drops it. */
  retain: boolean;
}

export interface StackStore {
  all(): ResourceRecord[];
  put(record: ResourceRecord): void;
  remove(logicalId: string): void;
}

export function openStackStore(state: State, stackName: string): StackStore {
  state.db.exec(`CREATE TABLE IF NOT EXISTS cloudformation_resources (
    stack TEXT NOT NULL, logical_id TEXT NOT NULL, type TEXT NOT NULL, physical_id TEXT NOT NULL, attributes TEXT NOT NULL,
    fingerprints TEXT NOT NULL, retain INTEGER NOT NULL, PRIMARY KEY (stack, logical_id)) STRICT`);
  const select = state.db.prepare('SELECT * FROM cloudformation_resources WHERE stack = ? ORDER BY rowid');
  const upsert = state.db.prepare('INSERT OR REPLACE INTO cloudformation_resources VALUES (?, ?, ?, ?, ?, ?, ?)');
  const drop = state.db.prepare('DELETE FROM cloudformation_resources WHERE stack = ? AND logical_id = ?');
  return {
    all: () =>
      select.all(stackName).map((row) => ({
        logicalId: String(row.logical_id),
        type: String(row.type),
        physicalId: String(row.physical_id),
        attributes: JSON.parse(String(row.attributes)),
        fingerprints: JSON.parse(String(row.fingerprints)),
        retain: row.retain === 1,
      })),
    put: ({ logicalId, type, physicalId, attributes, fingerprints, retain }) =>
      void upsert.run(stackName, logicalId, type, physicalId, JSON.stringify(attributes), JSON.stringify(fingerprints), retain ? 1 : 0),
    remove: (logicalId) => void drop.run(stackName, logicalId),
  };
}
