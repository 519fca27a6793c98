/** Names and ARNs of the stack's resources, and of other stages' resources when they turn up where they should not. Pure. */
import { usesTransit } from '../../src/policy/downloads.ts';
import { usesLinks } from '../../src/policy/links.ts';
import type { Policy } from '../../src/policy/schema.ts';
import type { Stack } from '../stack.ts';

export const FUNCTIONS = ['encrypt', 'audit', 'authorize', 'download', 'list', 'history', 'health'] as const;
/** `transit` is there where policy.yml allows copies for downloads, `share` where it lets somebody share. */
export type FunctionName = (typeof FUNCTIONS)[number] | 'transit' | 'share';

export const functionsOf = (policy: Policy): FunctionName[] => [
  ...FUNCTIONS,
  ...(usesTransit(policy) ? (['transit'] as const) : []),
  ...(usesLinks(policy) ? (['share'] as const) : []),
];

/** Of copies for downloads; it cannot be brought. */
export const transitBucket = ({ stage, account, region }: Stack): string => `sealdrop-${stage}-transit-${account}-${region}`;

/** Beside the ingest queue. */
export function transitQueueUrl({ stage, account, region, ingestQueueUrl }: Stack, what: 'transit' | 'transit-dead-letters'): string {
  return ingestQueueUrl.replace(/[^/]+$/, `sealdrop-${stage}-${what}-${account}-${region}`);
}

export function bucketArn({ partition }: Stack, bucket: string): string {
  return `arn:${partition}:s3:::${bucket}`;
}

/** @param url https://sqs.REGION.amazonaws.com/ACCOUNT/NAME */
export function queueArn({ partition, region }: Stack, url: string): string {
  const [name = '', account = ''] = url.split('/').reverse();
  return `arn:${partition}:sqs:${region}:${account}:${name}`;
}

export function roleArn({ partition, account, region, stage }: Stack, name: FunctionName): string {
  return `arn:${partition}:iam::${account}:role/sealdrop-${stage}-${name}-${account}-${region}`;
}

export function tableArn({ partition, account, region, auditTable }: Stack): string {
  return `arn:${partition}:dynamodb:${region}:${account}:table/${auditTable}`;
}

/** The stage of another stack of Sealdrop whose queue or role this ARN is; `null`: it is none. */
export function otherStage({ stage }: Stack, arn: string): string | null {
  const name = arn.split(/[:/]/).at(-1) ?? '';
  const found =
    /^sealdrop-([a-z][a-z0-9-]*?)-(?:ingest|target-events|transit|encrypt|audit|authorize|download|list|history|health)-\d{12}-/.exec(name);
  return found?.[1] === undefined || found[1] === stage ? null : found[1];
}

/** Whether the stack made this bucket, or somebody brought it. */
export function isOwnBucket({ stage, account, region }: Stack, bucket: string): boolean {
  return new RegExp(`^sealdrop-${stage}-(ingest|target|audit)-${account}-${region}$`).test(bucket);
}
