/** Checksums of whole objects, as S3 names them. */
import { Crc32, Crc32c, Crc64Nvme } from '@aws-sdk/checksums/crc';
import { Sha1, Sha256 } from '@aws-sdk/checksums/sha';

/** Bytes go in, in order; the digest comes out once. */
interface Digest {
  update(bytes: Uint8Array): void;
  digest(): Promise<Uint8Array>;
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html */
const ALGORITHMS = {
  crc64nvme: () => new Crc64Nvme(),
  crc32: () => new Crc32(),
  crc32c: () => new Crc32c(),
  sha1: () => new Sha1(),
  sha256: () => new Sha256(),
} satisfies Record<string, () => Digest>;

export type ChecksumName = keyof typeof ALGORITHMS;

const NAMES = Object.keys(ALGORITHMS) as ChecksumName[];

/** Of the bytes of an object, not of its parts. */
export interface WholeChecksum {
  name: ChecksumName;
  /** Base64, as S3 sends it. */
  value: string;
}

/** What says that the bytes are the object's. */
export type Proof = ChecksumName | 'length only';

/**
 * @param headers lower-case names
 * @returns `null`: S3 tells none, or one over the parts of an upload, which only who knows them could compute
 */
export function wholeChecksum(headers: Readonly<Record<string, string | string[] | undefined>>): WholeChecksum | null {
  if (headers['x-amz-checksum-type'] === 'COMPOSITE') return null;
  for (const name of NAMES) {
    const value = headers[`x-amz-checksum-${name}`];
    // One of parts ends in their number, whether or not the type is told.
    if (typeof value === 'string' && !/-\d+$/.test(value)) return { name, value };
  }
  return null;
}

export interface Verification {
  update(bytes: Uint8Array): void;
  /** @returns how it is proven; `null`: these are other bytes */
  end(): Promise<Proof | null>;
}

/** Compares bytes, in order, with an object's length and its checksum where there is one. */
export function startVerification({ length, checksum }: { length: number; checksum: WholeChecksum | null }): Verification {
  const digest: Digest | null = checksum === null ? null : ALGORITHMS[checksum.name]();
  let seen = 0;
  return {
    update(bytes) {
      seen += bytes.length;
      digest?.update(bytes);
    },
    async end() {
      if (seen !== length) return null;
      if (checksum === null || digest === null) return 'length only';
      return Buffer.from(await digest.digest()).equals(Buffer.from(checksum.value, 'base64')) ? checksum.name : null;
    },
  };
}
