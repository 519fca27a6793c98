import { expect, it } from 'vitest';
import { decodeS3Text } from '../../src/s3-encryption-client/s3-text.ts';

const word = (text: string) => `=?UTF-8?B?${Buffer.from(text).toString('base64')}?=`;
/** As S3 does with a header that holds UTF-8. */
const twice = (text: string) => word(Buffer.from(text).toString('latin1'));

it("reads the user guide's example", () => {
  expect(decodeS3Text('=?UTF-8?B?w4PChE3Dg8KEWsODwpXDg8KRIFMz?=')).toBe('ÄMÄZÕÑ S3');
});

it.each([
  ['ASCII as it is', '{"a":"b=?c"}', '{"a":"b=?c"}'],
  ['what was encoded twice', twice('{"ü":"€ 😀"}'), '{"ü":"€ 😀"}'],
  ['what was encoded once', word('{"ü":"€"}'), '{"ü":"€"}'],
  ['Latin-1 that is no UTF-8', word('é'), 'é'],
  ['UTF-8 that came without a word', Buffer.from('{"é":"1"}').toString('latin1'), '{"é":"1"}'],
  ['Q words', '=?utf-8?Q?{=22a=22:_=22=C3=83=C2=A9=22}?=', '{"a": "é"}'],
  ['words in Latin-1', '=?ISO-8859-1?Q?=E9?=', 'é'],
  ['words in ASCII, with a language', '=?us-ascii*en?b?YWI=?=', 'ab'],
  ['words one after the other as one', `${word('{"a":')} ${word('"b"}')}`, '{"a":"b"}'],
  ['a text before and after a word', `{"a":"${word('é')}"}`, '{"a":"é"}'],
  [
    'a character that two words part',
    `=?UTF-8?B?${Buffer.from([0xc3]).toString('base64')}?=\r\n =?UTF-8?B?${Buffer.from([0xa9]).toString('base64')}?=`,
    'é',
  ],
])('gives %s', (_, given, expected) => {
  expect(decodeS3Text(given)).toBe(expected);
});

it.each(['=?UTF-16?B?AGE=?=', '=?__proto__?B?AGE=?=', '=?constructor?Q?a?=', `${word('a')}=?ISO-8859-1?Q?b?=`])(
  'refuses the character sets of %s',
  (text) => {
    expect(() => decodeS3Text(text)).toThrow(expect.objectContaining({ code: 'source-not-decryptable' }));
  },
);
