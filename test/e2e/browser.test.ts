/** What a person does with a link, in a real browser where the machine has one: open it, save it, play it from the middle. */
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Browser, browserCommand, startBrowser } from './browser.ts';
import { type LocalStack, startLocalStack, until } from './local-stack.ts';

const SAMPLE_RATE = 44_100;
const SECONDS = 60;

/** A tone, as a WAV file: what every browser plays, and more than it fetches before it is asked to seek. */
function sound(): Buffer {
  const bytes = SECONDS * SAMPLE_RATE * 2;
  const file = Buffer.alloc(44 + bytes);
  file.write('RIFF', 0, 'latin1');
  file.writeUInt32LE(36 + bytes, 4);
  file.write('WAVEfmt ', 8, 'latin1');
  file.writeUInt32LE(16, 16);
  file.writeUInt16LE(1, 20);
  file.writeUInt16LE(1, 22);
  file.writeUInt32LE(SAMPLE_RATE, 24);
  file.writeUInt32LE(SAMPLE_RATE * 2, 28);
  file.writeUInt16LE(2, 32);
  file.writeUInt16LE(16, 34);
  file.write('data', 36, 'latin1');
  file.writeUInt32LE(bytes, 40);
  for (let at = 0; at < bytes / 2; at += 1) file.writeInt16LE(Math.round(8000 * Math.sin(at / 16)), 44 + at * 2);
  return file;
}

describe.runIf(browserCommand !== null)('a browser', () => {
  const wav = sound();
  let stack: LocalStack;
  let browser: Browser;
  beforeAll(async () => {
    stack = await startLocalStack('test/e2e/share.yml');
    browser = await startBrowser(browserCommand ?? '');
    await stack.drop('shared/page.txt', 'read me', { ContentType: 'text/plain' });
    await stack.drop('shared/cards/tone.wav', wav, { ContentType: 'audio/wav' });
    await stack.settled();
  });
  afterAll(async () => {
    await browser?.close();
    await stack?.stop();
  });

  const linkTo = async (key: string, more = {}) => {
    const answer = await stack.api('/links', { method: 'POST', body: JSON.stringify({ key, ...more }) });
    return `${stack.env.SEALDROP_API_URL}${((await answer.json()) as { path: string }).path}`;
  };

  test('opens a link', async () => {
    const page = await browser.open(await linkTo('shared/page.txt'));
    await expect.poll(() => page.evaluate('document.body.innerText')).toBe('read me');
  });

  test('saves a link under its name, byte for byte', async () => {
    await browser.open(`${await linkTo('shared/cards/tone.wav')}?download`);
    const file = join(browser.downloads, 'tone.wav');
    await until('the file', async () => existsSync(file));
    expect(readFileSync(file).equals(wav)).toBe(true);
  });

  test('plays a link from near its end, by ranges of one use', async () => {
    const media = await linkTo('shared/cards/tone.wav');
    const server = createServer((_, response) => response.setHeader('content-type', 'text/html').end(`<video src="${media}"></video>`));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const page = await browser.open(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
      await expect.poll(() => page.evaluate(`document.querySelector('video') !== null`)).toBe(true);
      const played = await page.evaluate(`new Promise((resolve) => {
        const video = document.querySelector('video');
        const fail = () => resolve({ error: video.error?.message ?? 'unknown' });
        const seek = () => { video.currentTime = video.duration - 1; };
        video.addEventListener('error', fail);
        video.addEventListener('seeked', () => video.play().catch(fail));
        video.addEventListener('ended', () => resolve({ duration: video.duration, at: video.currentTime }));
        if (video.error) fail(); else if (video.readyState > 0) seek(); else video.addEventListener('loadedmetadata', seek);
      })`);
      expect(played).toEqual({ duration: SECONDS, at: SECONDS });
    } finally {
      server.closeAllConnections();
      server.close();
    }
    const events = await stack.history('shared/cards/tone.wav');
    // A browser may also ask whether what it keeps is still good, which is an event without ranges.
    const ranges = events.reduce((sum, { ranges = 0 }) => sum + Number(ranges), 0);
    expect(ranges, JSON.stringify(events)).toBeGreaterThanOrEqual(2);
  });
});
