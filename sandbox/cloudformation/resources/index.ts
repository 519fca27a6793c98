/** Every resource type that the sandbox knows. */
import type { Definition } from '../definition.ts';
import { bucketResources } from './buckets.ts';
import { functionResources } from './functions.ts';
import { identityResources } from './identity.ts';
import { keyResources } from './keys.ts';
import { monitoringResources } from './monitoring.ts';
import { queueResources } from './queues.ts';
import { restApiResources } from './rest-api.ts';
import { restApiStageResources } from './rest-api-stage.ts';
import { secretResources } from './secrets.ts';
import { tableResources } from './tables.ts';

export const DEFINITIONS: Record<string, Definition> = {
  ...bucketResources,
  ...functionResources,
  ...identityResources,
  ...keyResources,
  ...monitoringResources,
  ...queueResources,
  ...restApiResources,
  ...restApiStageResources,
  ...secretResources,
  ...tableResources,
};
