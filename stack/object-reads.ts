/** Who may read the objects of a bucket, whatever roles allow. */
import { type Statement, sub } from './cloudformation.ts';
import { bucketArn, roleArn } from './names.ts';
import { functionsWith, objects, type Rights } from './rights.ts';
import type { Stack } from './stack.ts';

/** All that gives bytes, or what can be concluded from them: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html */
const READS = [
  's3:GetObject',
  's3:GetObjectAttributes',
  's3:GetObjectTorrent',
  's3:GetObjectVersion',
  's3:GetObjectVersionAttributes',
  's3:GetObjectVersionForReplication',
  's3:GetObjectVersionTorrent',
];

/** What was dropped lies readable in the ingest bucket, so that it is guarded like its copy; uploads need none of these. */
export function readByFunctionsAlone(stack: Stack, rights: Rights, which: 'ingest' | 'target'): Statement {
  const { breakGlass, ingestReaders } = stack.settings;
  const functions = functionsWith(rights, 's3:GetObject', objects(stack, which)).map((name) => sub(roleArn(stack, name)));
  const people = which === 'ingest' ? [...new Set([...breakGlass, ...ingestReaders])] : breakGlass;
  return {
    Sid: 'ReadByFunctionsAlone',
    Effect: 'Deny',
    Principal: '*',
    Action: READS,
    Resource: sub(`${bucketArn(stack, which)}/*`),
    Condition: { ArnNotEquals: { 'aws:PrincipalArn': [...functions, ...people] } },
  };
}
