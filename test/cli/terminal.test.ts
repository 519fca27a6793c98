import { PassThrough } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { formatRate, startByteProgress, startProgress } from '../../cli/terminal.ts';

function terminal(isTTY: boolean) {
  const out = Object.assign(new PassThrough(), { isTTY }) as unknown as NodeJS.WriteStream;
  const drawn = () => String(out.read() ?? '');
  return { out, drawn };
}

test('bytes that flow are one line, drawn over and over, and then gone', () => {
  const { out, drawn } = terminal(true);
  const progress = startByteProgress('fetching', 2_000_000, 0, out);
  progress.update(2_000_000);
  expect(stripVTControlCharacters(drawn())).toMatch(/^\rfetching {3}█{30} 2\.0 MB of 2\.0 MB, .*B\/s$/);
  progress.clear();
  expect(drawn()).toBe('\r\x1b[2K');
});

test('bytes of which nobody knows how many there will be have no bar', () => {
  const { out, drawn } = terminal(true);
  startByteProgress('putting', null, 0, out).update(5);
  expect(stripVTControlCharacters(drawn())).toMatch(/^\rputting {4}5 B, /);
});

test('elsewhere than on a terminal bytes leave nothing, and a count leaves its last line', () => {
  const { out, drawn } = terminal(false);
  const bytes = startByteProgress('fetching', 10, 0, out);
  bytes.update(10);
  bytes.clear();
  const count = startProgress('drop', 3, out);
  count.update(2);
  expect(drawn()).toBe('');
  count.finish('done');
  expect(stripVTControlCharacters(drawn())).toBe(`drop       ${'█'.repeat(30)} 3/3 done\n`);
});

test('a rate is of a second', () => {
  expect([formatRate(3_000_000, 2000), formatRate(0, 10), formatRate(10, 0)]).toEqual(['1.5 MB/s', '0 B/s', '0 B/s']);
});
