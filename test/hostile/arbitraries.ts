/** What somebody who means no good, or a broken sender, puts where a text or a document is expected. */
import fc from 'fast-check';

/** Names that mean something to JavaScript, to S3, to a shell of signs around it, or to whoever reads a log. */
const ODD_TEXTS = [
  '',
  ' ',
  '.',
  '..',
  '../..',
  '/',
  '//',
  '+',
  '%',
  '%2',
  '%2B',
  '%252F',
  '%00',
  '%C3%28',
  '#',
  '?versionId=null',
  '&',
  '\u0000',
  '\u0001\u001f\u007f',
  '\r\nx-amz-acl: public-read',
  '\ud800',
  '\udc00\ud800',
  '\ufffe\uffff',
  '\u202egpj.exe',
  '\u{10ffff}',
  'é',
  'e\u0301',
  '🎉',
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  'null',
  'arn:aws:s3:::another-bucket/key',
  'arn:aws:s3:us-east-1:000000000000:accesspoint/another',
  'arn:aws:kms:us-east-1:000000000000:key/11111111-2222-3333-4444-555555555555',
  'AccessDenied: User is not authorized to perform: kms:Decrypt',
  '{"Records":[]}',
  '{"code":"unknown"}',
  '<Error><Code>NoSuchKey</Code></Error>',
  ']]>',
  'a'.repeat(1023),
  'k'.repeat(1024),
  'k'.repeat(1025),
  'é'.repeat(512),
  'é'.repeat(513),
];

/** Any UTF-16, so that surrogates stand alone too. */
const anyUnits = fc.string({ unit: fc.nat(0xffff).map((unit) => String.fromCharCode(unit)), maxLength: 40 });

export const hostileText: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...ODD_TEXTS) },
  { weight: 2, arbitrary: anyUnits },
  { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 60 }) },
  { weight: 2, arbitrary: fc.array(fc.constantFrom(...ODD_TEXTS), { minLength: 2, maxLength: 5 }).map((parts) => parts.join('/')) },
  { weight: 1, arbitrary: fc.string({ maxLength: 60 }) },
);

const hostileNumber = fc.oneof(
  fc.constantFrom(0, -0, -1, 0.5, 1e21, 1e308, -1e308, 2 ** 31, 2 ** 53 - 1, 2 ** 53, 5 * 1024 ** 4, 48.8 * 1024 ** 4),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer(),
);

/** As `JSON.parse` gives it: `__proto__` is a member like any other. */
export const hostileJson: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    hostileText,
    hostileNumber,
    fc.boolean(),
    fc.constant(null),
    tie('list'),
    tie('map'),
  ),
  list: fc.array(tie('value'), { maxLength: 4 }),
  map: fc.array(fc.tuple(hostileText, tie('value')), { maxLength: 4 }).map((members) => Object.fromEntries(members)),
})).value;

/** Keys that S3 stores: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html */
export const possibleKeys: fc.Arbitrary<string> = hostileText.filter(isPossible);

/** Well-formed, 1 to 1,024 bytes, and read from the left it never climbs out of its bucket. */
function isPossible(key: string): boolean {
  if (key === '' || !key.isWellFormed() || Buffer.byteLength(key) > 1024) return false;
  let depth = 0;
  return key.split('/').every((segment) => {
    depth += segment === '..' ? -1 : 1;
    return depth >= 0;
  });
}
