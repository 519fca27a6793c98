/** Roles for tests, and credentials of their sessions. */
import { type Access, openAccess } from '../../../sandbox/iam/access.ts';
import type { State } from '../../../sandbox/state.ts';
import type { Credentials } from '../../../sandbox/wire/credentials.ts';

export interface Session {
  roleArn: string;
  /** Of the session, as messages name it. */
  arn: string;
  credentials: { accessKeyId: string; secretAccessKey: string; sessionToken: string };
}

/** A role with these statements as its one policy; again with others, it changes. */
export function actAs(state: State, credentials: Credentials, name: string, statements: object[]): Session {
  const { arn: roleArn } = putRole(openAccess(state), name, statements);
  const { accessKeyId, secretAccessKey, sessionToken, principal } = credentials.issueForRole(name, { roleArn, sessionName: 'test' });
  return { roleArn, arn: principal.arn, credentials: { accessKeyId, secretAccessKey, sessionToken: sessionToken ?? '' } };
}

export function putRole(access: Access, name: string, statements: object[], service = 'lambda.amazonaws.com') {
  const trust = { Effect: 'Allow', Principal: { Service: service }, Action: 'sts:AssumeRole' };
  return access.putRole(name, policy(trust), statements.length === 0 ? {} : { rights: policy(...statements) });
}

export const policy = (...Statement: object[]) => ({ Version: '2012-10-17', Statement });

export const allow = (Action: string | string[], Resource: string | string[] = '*', Condition?: object) => ({
  Effect: 'Allow',
  Action,
  Resource,
  ...(Condition && { Condition }),
});

export const deny = (Action: string | string[], Resource: string | string[] = '*', Condition?: object) => ({
  ...allow(Action, Resource, Condition),
  Effect: 'Deny',
});
