import { describe, expect, test } from 'vitest';
import { readArguments as readDecrypt } from '../../../cli/envelope/decrypt-arguments.ts';
import { readArguments as readEncrypt } from '../../../cli/envelope/encrypt-arguments.ts';

const ARN = 'arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab';
const KEY = ['--kms-key', ARN];
const SECRET = ['--secret', 'a/secret'];
const OBJECT = 's3://a-bucket/a/key';

function encrypting(...args: string[]) {
  const read = readEncrypt(args);
  if (read.help) throw new Error('help was read');
  return read;
}
function decrypting(...args: string[]) {
  const read = readDecrypt(args);
  if (read.help) throw new Error('help was read');
  return read;
}

describe('encrypt', () => {
  test.each<[args: string[], choice: object]>([
    [[...KEY], { mode: 'cse-kms', kmsKey: ARN }],
    [[...SECRET], { mode: 'cse-aes', secret: 'a/secret' }],
    [['--mode', 'cse-kms', ...KEY], { mode: 'cse-kms', kmsKey: ARN }],
    [['--mode', 'cse-aes', ...SECRET], { mode: 'cse-aes', secret: 'a/secret' }],
    [['--mode', 'sse-s3'], { mode: 'sse-s3' }],
    [['--mode', 'sse-kms', ...KEY], { mode: 'sse-kms', kmsKey: ARN }],
    [['--mode', 'sse-kms', '--kms-key', 'aws/s3'], { mode: 'sse-kms', kmsKey: 'aws/s3' }],
    [['--mode', 'dsse-kms', '--kms-key', 'aws/s3'], { mode: 'dsse-kms', kmsKey: 'aws/s3' }],
    [['--mode', 'sse-c', ...SECRET], { mode: 'sse-c', secret: 'a/secret' }],
  ])('takes %j', (args, choice) => {
    expect(encrypting('file', OBJECT, ...args).choice).toEqual(choice);
  });

  test.each<[args: string[], said: string]>([
    [[], 'SOURCE: which one?'],
    [['file'], 'TARGET: which one?'],
    [['file', 'b', 'c', ...KEY], 'c: one SOURCE and one TARGET at a time'],
    [['s3://a-bucket/k', 'file', ...KEY], 'SOURCE: a file, a folder or -'],
    [['file', 's3://', ...KEY], 'an object is said as s3://BUCKET/KEY'],
    [['file', 's3:/a-bucket/k', ...KEY], 'an object is said as s3://BUCKET/KEY'],
    [['file', 'S3://a-bucket/k', ...KEY], 'an object is said as s3://BUCKET/KEY'],
    [['file', 's3://Bad_Bucket/k', ...KEY], 'an object is said as s3://BUCKET/KEY'],
    [['file', `s3://a-bucket/${'k'.repeat(1025)}`, ...KEY], 'TARGET: the key has 1025 bytes'],
    [['file', 's3://a-bucket/../k', ...KEY], 'climbs out of the bucket'],
    [['-', 's3://a-bucket/a/', ...KEY], 'TARGET: standard input has no name'],
    [['-', 's3://a-bucket', ...KEY], 'TARGET: standard input has no name'],
    [['file', OBJECT], 'Under which key? Say --kms-key ARN (cse-kms), --secret NAME-OR-ARN (cse-aes)'],
    [['file', 'sealed'], 'Under which key?'],
    [['file', OBJECT, ...KEY, ...SECRET], '--kms-key and --secret: say one of them'],
    [['file', OBJECT, '--mode', 'aes'], '--mode aes: one of sse-s3, sse-kms, dsse-kms, sse-c, cse-kms, cse-aes'],
    [['file', OBJECT, '--mode', 'sse-s3', ...KEY], '--kms-key: sse-s3 takes none'],
    [['file', OBJECT, '--mode', 'sse-s3', ...SECRET], '--secret: sse-s3 takes none'],
    [['file', OBJECT, '--mode', 'sse-c', ...SECRET, ...KEY], '--kms-key: sse-c takes none'],
    [['file', OBJECT, '--mode', 'cse-aes', ...SECRET, ...KEY], '--kms-key: cse-aes takes none'],
    [['file', OBJECT, '--mode', 'cse-kms', ...SECRET, ...KEY], '--secret: cse-kms takes none'],
    [['file', OBJECT, '--mode', 'sse-kms'], '--mode sse-kms: say --kms-key ARN, or --kms-key aws/s3'],
    [['file', OBJECT, '--mode', 'dsse-kms'], '--mode dsse-kms: say --kms-key ARN'],
    [['file', OBJECT, '--mode', 'cse-kms'], '--mode cse-kms: say --kms-key ARN'],
    [['file', OBJECT, '--mode', 'sse-c'], '--mode sse-c: say --secret'],
    [['file', OBJECT, '--mode', 'cse-aes'], '--mode cse-aes: say --secret'],
    [['file', OBJECT, '--kms-key', 'aws/s3'], '--kms-key aws/s3: it encrypts at S3 alone'],
    [['file', OBJECT, '--kms-key', 'alias/mine'], '--kms-key alias/mine: a full KMS key ARN'],
    [['file', OBJECT, ...KEY, ...KEY], '--kms-key is said 2 times'],
    [['file', OBJECT, ...SECRET, ...SECRET], '--secret is said 2 times'],
    [['file', OBJECT, ...KEY, '--mode', 'cse-kms', '--mode', 'sse-kms'], '--mode is said 2 times; once is enough'],
    [['file', OBJECT, ...KEY, '--bucket-owner=111122223333', '--bucket-owner', '444455556666'], '--bucket-owner is said 2 times'],
    [['file', OBJECT, ...KEY, '--region', 'eu-west-1', '--region', 'eu-west-1', '--region=x'], '--region is said 3 times'],
    [['file', OBJECT, '--secret', ''], '--secret: which one?'],
    [['file', 'sealed', '--mode', 'sse-s3'], '--mode sse-s3: S3 encrypts, so that TARGET is s3://BUCKET/KEY'],
    [['file', '-', '--mode', 'sse-kms', ...KEY], '--mode sse-kms: S3 encrypts'],
    [['file', 'sealed', ...KEY, '--content-type', 'text/plain'], '--content-type: TARGET is no object in S3'],
    [['file', 'sealed', ...KEY, '--bucket-owner', '111122223333'], '--bucket-owner: TARGET is no object in S3'],
    [['file', 'sealed', ...KEY, '--part-mib', '8'], '--part-mib: TARGET is no object in S3'],
    [['file', OBJECT, ...KEY, '--content-type', 'a\nb'], '--content-type: a header carries visible ASCII'],
    [['file', OBJECT, ...KEY, '--bucket-owner', 'me'], '--bucket-owner me: an AWS account has 12 digits'],
    [['file', OBJECT, ...KEY, '--part-mib', '4'], '--part-mib 4: a whole number, 5 to 512'],
    [['file', OBJECT, ...KEY, '--context', 'team'], '--context team: it is said as NAME=VALUE'],
    [['file', OBJECT, ...KEY, '--context', 'a=b', '--context', 'a=c'], '--context a is said twice'],
    [['file', OBJECT, ...KEY, '--context', 'sealdrop=x'], '--context sealdrop: every message says sealdrop=cse'],
    [['file', OBJECT, ...KEY, '--context', 'bucket=x'], '--context bucket: the message says its own bucket'],
    [['file', OBJECT, ...KEY, '--context', 'key=x'], '--context key: the message says its own key'],
    [['file', OBJECT, ...KEY, '--context', 'aws-crypto-public-key=x'], 'belong to the Encryption SDK'],
    [['file', OBJECT, '--mode', 'sse-s3', '--context', 'a=b'], '--context: sse-s3 takes none'],
    [['file', '-', ...KEY, '--json'], '--json: standard output takes either the bytes or the document'],
    [['-', 's3://a-bucket/', ...KEY, '--recursive'], '--recursive: SOURCE is a folder'],
    [['folder', '-', ...KEY, '--recursive'], '--recursive: TARGET is s3://BUCKET/PREFIX/ or a folder'],
    [['folder', 's3://a-bucket/p', ...KEY, '--recursive'], '--recursive: TARGET s3://a-bucket/p/, with / at its end'],
    [['folder', 'folder', ...KEY, '--recursive'], 'TARGET folder: it lies within SOURCE folder'],
    [['folder', 'folder/sealed', ...KEY, '--recursive'], 'it lies within SOURCE folder'],
    [['.', './..sealed', ...KEY, '--recursive'], 'it lies within SOURCE .'],
    [['file', OBJECT, ...KEY, '--frobnicate'], '--frobnicate'],
  ])('refuses %j', (args, said) => {
    expect(() => readEncrypt(args)).toThrow(said);
  });

  test.each(['ab'.repeat(32), `${'A'.repeat(43)}=`])('refuses a key in the place of its name, and does not show it again (%#)', (key) => {
    expect(() => readEncrypt(['file', OBJECT, '--secret', key])).toThrow('that looks like a key itself');
    expect(() => readDecrypt([OBJECT, 'file', '--secret', key])).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining(key) }),
    );
  });

  test('gives a file its own name under a prefix, and in the bucket itself', () => {
    expect(encrypting('some/file.txt', 's3://a-bucket/in/', ...KEY).target).toMatchObject({ key: 'in/file.txt' });
    expect(encrypting('some/file.txt', 's3://a-bucket', ...KEY).target).toMatchObject({ key: 'file.txt' });
    expect(encrypting('some/file.txt', 's3://a-bucket/as=?this', ...KEY).target).toMatchObject({ key: 'as=?this' });
  });

  test('takes a folder beside the source, whatever they share', () => {
    for (const target of ['folder.sealed', '../folder', '..folder']) {
      expect(encrypting('folder', target, ...KEY, '--recursive').target).toEqual({ kind: 'file', path: target });
    }
  });

  test('may say bucket and key of a message that goes to a file', () => {
    expect(encrypting('a', 'b', ...KEY, '--context', 'bucket=x', '--context', 'key=y=z').context).toEqual({ bucket: 'x', key: 'y=z' });
  });

  test('reads nothing else where help is asked for', () => {
    expect(readEncrypt(['--help'])).toEqual({ help: true, json: false });
    expect(readDecrypt(['--help'])).toEqual({ help: true, json: false });
  });
});

describe('decrypt', () => {
  test('needs nothing but where from and where to', () => {
    expect(decrypting(OBJECT, 'file')).toMatchObject({ mode: null, kmsKeys: [], secret: null, anyContext: false, bucketOwner: null });
  });

  test('takes several KMS keys', () => {
    expect(decrypting(OBJECT, '-', ...KEY, '--kms-key', 'aws/s3').kmsKeys).toEqual([ARN, 'aws/s3']);
  });

  test('takes another place over its own, and any name with --any-context', () => {
    expect(decrypting(OBJECT, 'file', '--context', 'bucket=x').context).toEqual({ bucket: 'x' });
    expect(decrypting(OBJECT, 'file', '--any-context', '--context', 'sealdrop=x').context).toEqual({ sealdrop: 'x' });
  });

  test.each<[args: string[], said: string]>([
    [[], 'SOURCE: which one?'],
    [[OBJECT], 'TARGET: which one?'],
    [[OBJECT, 'b', 'c'], 'c: one SOURCE and one TARGET at a time'],
    [['file', OBJECT], 'TARGET: a file, a folder or -'],
    [['s3://a-bucket', 'file'], 'the whole key, or --recursive'],
    [['s3://a-bucket/p/', 'file'], 'the whole key, or --recursive'],
    [[OBJECT, 'file', '--mode', 'x'], '--mode x: one of'],
    [[OBJECT, 'file', '--mode', 'sse-c'], '--mode sse-c: say --secret'],
    [[OBJECT, 'file', '--mode', 'cse-aes'], '--mode cse-aes: say --secret'],
    [[OBJECT, 'file', ...SECRET, '--secret-version', 'a', '--secret-version', 'b'], '--secret-version is said 2 times'],
    [[OBJECT, 'file', '--mode', 'sse-s3', ...KEY], '--kms-key: sse-s3 takes none'],
    [[OBJECT, 'file', '--mode', 'sse-kms', ...SECRET], '--secret: sse-kms takes none'],
    [[OBJECT, 'file', '--mode', 'sse-kms', '--any-context'], '--any-context: sse-kms takes none'],
    [[OBJECT, 'file', '--mode', 'cse-aes', ...SECRET, '--secret-version', 'v'], '--secret-version: cse-aes takes none'],
    [['file', 'out', ...SECRET, '--secret-version', 'v'], '--secret-version: a message names its own'],
    [['folder/in', 'folder', '--recursive'], 'SOURCE folder/in lies within it'],
    [['file', 'out', '--mode', 'sse-kms'], '--mode sse-kms: S3 decrypts it'],
    [['file', 'out', '--bucket-owner', '111122223333'], '--bucket-owner: SOURCE is no object in S3'],
    [[OBJECT, 'out', '--bucket-owner', '1'], '--bucket-owner 1: an AWS account has 12 digits'],
    [[OBJECT, 'out', '--kms-key', 'mine'], '--kms-key mine: a full KMS key ARN'],
    [[OBJECT, 'out', ...SECRET, ...SECRET], '--secret is said 2 times'],
    [[OBJECT, 'out', '--secret-version', 'v'], '--secret-version: of which --secret?'],
    [[OBJECT, 'out', '--context', '=x'], '--context =x: it is said as NAME=VALUE'],
    [[OBJECT, 'out', '--context', 'sealdrop=x'], '--context sealdrop: every message says sealdrop=cse'],
    [[OBJECT, '-', '--json'], '--json: standard output takes either'],
    [['-', 'folder', '--recursive'], '--recursive: SOURCE is s3://BUCKET/PREFIX/ or a folder'],
    [['s3://a-bucket/p/', '-', '--recursive'], '--recursive: TARGET is a folder'],
    [['s3://a-bucket/p', 'folder', '--recursive'], 'SOURCE s3://a-bucket/p/, with / at its end'],
    [['folder', 'folder/open', '--recursive'], 'it lies within SOURCE folder'],
    [[OBJECT, 'file', '--content-type', 'text/plain'], '--content-type'],
  ])('refuses %j', (args, said) => {
    expect(() => readDecrypt(args)).toThrow(said);
  });
});
