/** Who may read the objects of a bucket, whatever roles allow. */
import { type Statement, sub } from './cloudformation.ts';
import { bucketArn, roleArn } from './names.ts';
import { functionsWith, objects, type Rights } from './rights.ts';
import type { Stack } from './stack.ts';

/**
 * All that gives bytes, or what can be concluded from them: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
 * A statement for each that some function holds, so that one right excepts nobody from the denial of another.
 */
const READS = {
  ReadByFunctionsAlone: ['s3:GetObject'],
  ReadVersionsByFunctionsAlone: ['s3:GetObjectVersion'],
  ReadByNoFunction: [
    's3:GetObjectAttributes',
    's3:GetObjectTorrent',
    's3:GetObjectVersionAttributes',
    's3:GetObjectVersionForReplication',
    's3:GetObjectVersionTorrent',
  ],
};

/** What was dropped lies readable in the ingest bucket, so that it is guarded like its copy; uploads need none of these. */
export function readByFunctionsAlone(stack: Stack, rights: Rights, which: 'ingest' | 'target' | 'transit'): Statement[] {
  const { breakGlass, ingestReaders } = stack.settings;
  // What is in transit is in the target bucket as well, where break-glass can read it.
  const people = { ingest: [...new Set([...breakGlass, ...ingestReaders])], target: breakGlass, transit: [] }[which];
  return Object.entries(READS).map(([Sid, Action]) => {
    const holders = Action.flatMap((action) => functionsWith(rights, action, objects(stack, which)));
    const readers = [...new Set(holders)].map((name) => sub(roleArn(stack, name)));
    const excepted = [...readers, ...people];
    return {
      Sid,
      Effect: 'Deny',
      Principal: '*',
      Action,
      Resource: sub(`${bucketArn(stack, which)}/*`),
      // IAM takes no empty list: where nobody is excepted there is no condition.
      ...(excepted.length === 0 ? {} : { Condition: { ArnNotEquals: { 'aws:PrincipalArn': excepted } } }),
    };
  });
}
