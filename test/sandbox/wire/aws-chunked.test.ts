import { createHmac } from 'node:crypto';
import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { type ChunkedOptions, type ChunkSigning, decodeAwsChunked } from '../../../sandbox/wire/aws-chunked.ts';

/** Keys and seeds of AWS's own examples. @see https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html */
function exampleSigning(seedSignature: string): ChunkSigning {
  let signingKey: Buffer = Buffer.from('AWS4wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY');
  for (const part of ['20130524', 'us-east-1', 's3', 'aws4_request']) signingKey = createHmac('sha256', signingKey).update(part).digest();
  const scope = '20130524/us-east-1/s3/aws4_request';
  return { signingKey, time: '20130524T000000Z', scope, seedSignature, accessKeyId: 'AKIAIOSFODNN7EXAMPLE' };
}

const EXAMPLE_BYTES = 66_560;
const a = (count: number) => 'a'.repeat(count);

const SIGNED = {
  seed: '4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9',
  body:
    `10000;chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648\r\n${a(65_536)}\r\n` +
    `400;chunk-signature=0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497\r\n${a(1024)}\r\n` +
    '0;chunk-signature=b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9\r\n\r\n',
};

const SIGNED_TRAILER = {
  seed: '106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e',
  body:
    `10000;chunk-signature=b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2\r\n${a(65_536)}\r\n` +
    `400;chunk-signature=1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7\r\n${a(1024)}\r\n` +
    '0;chunk-signature=2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992\r\n' +
    'x-amz-checksum-crc32c:sOO8/Q==\r\n' +
    'x-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n',
};

function decode(pieces: Iterable<Buffer>, options: Omit<ChunkedOptions, 'trailers'>) {
  const trailers: Record<string, string> = {};
  const stream = Readable.from(pieces).pipe(decodeAwsChunked({ ...options, trailers }));
  return stream.toArray().then((parts) => ({ bytes: Buffer.concat(parts), trailers }));
}

function* split(text: string, size: (index: number) => number): Generator<Buffer> {
  const bytes = Buffer.from(text, 'latin1');
  for (let offset = 0, index = 0; offset < bytes.length; index += 1) {
    const end = offset + size(index);
    yield bytes.subarray(offset, end);
    offset = end;
  }
}

const signed = { signing: exampleSigning(SIGNED.seed), decodedLength: EXAMPLE_BYTES, trailerNames: null };
const trailed = { signing: exampleSigning(SIGNED_TRAILER.seed), decodedLength: EXAMPLE_BYTES, trailerNames: ['x-amz-checksum-crc32c'] };
const unsigned = (decodedLength: number, trailerNames: string[] | null = []) => ({ signing: null, decodedLength, trailerNames });

const SPLITS: [string, (index: number) => number][] = [
  ['whole', () => 1_000_000],
  ['byte by byte', () => 1],
  ['in pieces of 7', () => 7],
  ['in pieces of 65,537', () => 65_537],
  ['in pieces of growing primes', (index) => [2, 3, 5, 11, 101, 997, 4999][index % 7] ?? 1],
];

test.each(SPLITS)('AWS’s signed example decodes %s', async (_title, size) => {
  const { bytes, trailers } = await decode(split(SIGNED.body, size), signed);
  expect(bytes.equals(Buffer.alloc(EXAMPLE_BYTES, 'a'))).toBe(true);
  expect(trailers).toEqual({});
});

test.each(SPLITS)('AWS’s signed example with a trailer decodes %s', async (_title, size) => {
  const { bytes, trailers } = await decode(split(SIGNED_TRAILER.body, size), trailed);
  expect(bytes.length).toBe(EXAMPLE_BYTES);
  expect(trailers).toEqual({ 'x-amz-checksum-crc32c': 'sOO8/Q==' });
});

test('an unsigned body gives its bytes and its trailer, whatever the split', async () => {
  const first = `\r\n${'0;\n\r'.repeat(2100)}`;
  const body = `${first.length.toString(16).toUpperCase()}\r\n${first}\r\n3\r\nend\r\n0\r\nX-Amz-Checksum-Crc32: AAAAAA==\r\n\r\n`;
  for (let size = 1; size < 40; size += 1) {
    const { bytes, trailers } = await decode(
      split(body, () => size),
      unsigned(first.length + 3, ['x-amz-checksum-crc32']),
    );
    expect(bytes.toString()).toBe(`${first}end`);
    expect(trailers).toEqual({ 'x-amz-checksum-crc32': 'AAAAAA==' });
  }
});

test('an empty payload is one empty chunk', async () => {
  expect(
    (
      await decode(
        split('0\r\n\r\n', () => 1),
        unsigned(0),
      )
    ).bytes,
  ).toHaveLength(0);
});

test('a trailer value that ends with LF before CRLF is read as AWS’s documents show it', async () => {
  const { trailers } = await decode(
    split('0\r\nx-amz-checksum-crc32:AAAAAA==\n\r\n\r\n', () => 1),
    unsigned(0, ['x-amz-checksum-crc32']),
  );
  expect(trailers).toEqual({ 'x-amz-checksum-crc32': 'AAAAAA==' });
});

test.each([
  ['a flipped byte in the first chunk', SIGNED.body.replace('\r\na', '\r\nb')],
  ['a flipped byte in the last data chunk', SIGNED.body.replace('ef5497\r\na', 'ef5497\r\nb')],
  ['a signature of another chunk', SIGNED.body.replace('0055627c', '0055627d')],
  ['a changed final signature', SIGNED.body.replace('b6c6ea8a', 'b6c6ea8b')],
])('%s is SignatureDoesNotMatch', async (_title, body) => {
  await expect(
    decode(
      split(body, () => 1000),
      signed,
    ),
  ).rejects.toMatchObject({ code: 'SignatureDoesNotMatch', status: 403 });
});

test.each([
  ['changed', SIGNED_TRAILER.body.replace('sOO8/Q==', 'sOO8/R=='), 'SignatureDoesNotMatch'],
  ['unsigned', SIGNED_TRAILER.body.replace(/x-amz-trailer-signature.*\r\n\r\n/, '\r\n'), 'MalformedTrailerError'],
])('a signed body whose trailer is %s is refused', async (_title, body, code) => {
  await expect(
    decode(
      split(body, () => 1000),
      trailed,
    ),
  ).rejects.toMatchObject({ code });
});

test.each([
  ['announced but missing', '0\r\n\r\n', ['x-amz-checksum-crc32']],
  ['not announced', '0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n', []],
  ['given twice', '0\r\nx-a:1\r\nx-a:2\r\n\r\n', ['x-a']],
  ['not a header', '0\r\nwhat is this\r\n\r\n', ['x-a']],
  ['where none may be', '0\r\nx-a:1\r\n\r\n', null],
])('a trailer %s is MalformedTrailerError', async (_title, body, names) => {
  await expect(
    decode(
      split(body, () => 3),
      unsigned(0, names),
    ),
  ).rejects.toMatchObject({ code: 'MalformedTrailerError', status: 400 });
});

test.each([
  ['one byte more than announced', '4\r\nabcd\r\n0\r\n\r\n', 3],
  ['one byte less than announced', '4\r\nabcd\r\n0\r\n\r\n', 5],
  ['cut off in a chunk header', '4', 4],
  ['cut off in data', '4\r\nabc', 4],
  ['cut off behind data', '4\r\nabcd\r\n', 4],
  ['cut off before the last line', '4\r\nabcd\r\n0\r\n', 4],
  ['without CRLF behind data', '4\r\nabcdX\r\n0\r\n\r\n', 4],
  ['with a size that is no number', 'xyz\r\nabcd\r\n0\r\n\r\n', 4],
  ['with a negative size', '-4\r\nabcd\r\n0\r\n\r\n', 4],
  ['with bytes behind its end', '4\r\nabcd\r\n0\r\n\r\n!\r\n', 4],
  ['with a line that never ends', 'f'.repeat(20_000), 4],
  ['empty', '', 0],
])('a body %s is IncompleteBody', async (_title, body, decodedLength) => {
  await expect(
    decode(
      split(body, () => 2),
      unsigned(decodedLength),
    ),
  ).rejects.toMatchObject({ code: 'IncompleteBody', status: 400 });
});

test('a chunk without its signature is refused when chunks are signed', async () => {
  await expect(
    decode(
      split('4\r\nabcd\r\n0\r\n\r\n', () => 5),
      { ...signed, decodedLength: 4 },
    ),
  ).rejects.toMatchObject({ code: 'IncompleteBody' });
});

test.each([
  [8191, 'InvalidChunkSizeError'],
  [8192, null],
  [8193, null],
])('a chunk of %i bytes before another one: %s', async (size, code) => {
  const body = `${size.toString(16)}\r\n${a(size)}\r\n1\r\na\r\n0\r\n\r\n`;
  const decoding = decode(
    split(body, () => 100),
    unsigned(size + 1),
  );
  if (code === null) expect((await decoding).bytes).toHaveLength(size + 1);
  else await expect(decoding).rejects.toMatchObject({ code, status: 403 });
});
