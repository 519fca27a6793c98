/** What policy.yml says of how a key's object may leave. Pure. */
import type { DownloadRule, Policy } from './schema.ts';

const UNSAID: DownloadRule = { redirect: true, transit: false };

/** Whether the stack must be able to make copies for downloads. */
export function usesTransit({ downloads }: Pick<Policy, 'downloads'>): boolean {
  return downloads.some(({ transit }) => transit);
}

/** @param key the decoded key that S3 will see */
export function downloadRule({ downloads }: Pick<Policy, 'downloads'>, key: string): DownloadRule {
  return downloads.find(({ under }) => under.some((prefix) => key.startsWith(prefix))) ?? UNSAID;
}
