/** The checksum among the members of an answer. */
import type { StoredChecksum } from './copy-job.ts';

const ALGORITHMS = ['CRC64NVME', 'CRC32C', 'CRC32', 'SHA256', 'SHA1'] as const satisfies StoredChecksum['algorithm'][];

type ChecksumMembers = { [Member in `Checksum${StoredChecksum['algorithm']}`]?: string | undefined } & {
  ChecksumType?: string | undefined;
};

/** `null`: it has none of those that can be compared. */
export function storedChecksum(answer: ChecksumMembers): StoredChecksum | null {
  for (const algorithm of ALGORITHMS) {
    const value = answer[`Checksum${algorithm}`];
    if (value !== undefined) return { algorithm, value, type: answer.ChecksumType ?? 'FULL_OBJECT' };
  }
  return null;
}
