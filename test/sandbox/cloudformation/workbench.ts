/** The services of the sandbox without its ports, to deploy templates into. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deployStack, parseTemplate, type Services, type Stack } from '../../../sandbox/cloudformation/index.ts';
import { openDynamoDb } from '../../../sandbox/dynamodb/dynamodb.ts';
import { type Access, openAccess } from '../../../sandbox/iam/access.ts';
import { openKms } from '../../../sandbox/kms/kms.ts';
import { openEventSourceMappings, openFunctions } from '../../../sandbox/lambda/index.ts';
import { openS3 } from '../../../sandbox/s3/index.ts';
import { openSecretsManager } from '../../../sandbox/secrets-manager/secrets-manager.ts';
import { openSqs } from '../../../sandbox/sqs/sqs.ts';
import { openState } from '../../../sandbox/state.ts';
import { openCredentials } from '../../../sandbox/wire/credentials.ts';

export interface StackBench {
  dir: string;
  services: Services;
  access: Access;
  deploy(
    resources: Record<string, object>,
    more?: { Outputs?: object; Conditions?: object; Parameters?: object; given?: Record<string, string> },
  ): Promise<Stack>;
  /** As another start of the sandbox on the same data. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

/** Lets any bucket of the account send to the queues. */
export const s3MaySend = (...queues: string[]) => ({
  Type: 'AWS::SQS::QueuePolicy',
  Properties: {
    Queues: queues.map((queue) => ({ Ref: queue })),
    PolicyDocument: {
      Version: '2012-10-17',
      Statement: {
        Effect: 'Allow',
        Principal: { Service: 's3.amazonaws.com' },
        Action: 'sqs:SendMessage',
        Resource: '*',
        Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
      },
    },
  },
});

export function openStackBench(): StackBench {
  const dir = mkdtempSync(join(tmpdir(), 'sealdrop-stack-'));
  let room = openRoom(dir);
  return {
    dir,
    get services() {
      return room.services;
    },
    get access() {
      return room.services.access;
    },
    deploy: (Resources, { given = {}, ...more } = {}) =>
      deployStack({
        state: room.state,
        services: room.services,
        stackName: 'test',
        template: parseTemplate({ Resources, ...more }),
        parameters: given,
        packageDir: dir,
      }),
    async restart() {
      await room.close();
      room = openRoom(dir);
    },
    async close() {
      await room.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

function openRoom(dir: string) {
  const state = openState(join(dir, 'data'));
  const kms = openKms(state);
  const sqs = openSqs(state);
  const dynamodb = openDynamoDb(state);
  const functions = openFunctions({ state, credentials: openCredentials(state), endpoint: () => 'http://127.0.0.1:1', log: () => {} });
  const eventSources = openEventSourceMappings({ queues: sqs, functions, maxConcurrency: 2 });
  const services: Services = {
    endpoint: 'http://127.0.0.1:1',
    s3: openS3({ state, keys: kms, judge: openAccess(state).judge, notify: sqs.publish }),
    kms,
    secretsManager: openSecretsManager(state, kms),
    sqs,
    dynamodb,
    functions,
    eventSources,
    access: openAccess(state),
  };
  return {
    state,
    services,
    async close() {
      eventSources.stop();
      await functions.stop();
      sqs.close();
      await dynamodb.close();
      state.close();
    },
  };
}
