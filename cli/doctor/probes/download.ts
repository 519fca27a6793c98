/** The same bytes back, through the API. */

import { errorMessage } from '../../sdk-error.ts';
import { error, type Finding, warning } from '../finding.ts';

const PATIENCE_MS = 30_000;

/** Asks as the holder of a token would; the token is nowhere shown. */
export async function downloadProblems({ url, token }: { url: string; token: string }, key: string, expected: Buffer): Promise<Finding[]> {
  const address = `${url.replace(/\/$/, '')}/object?key=${encodeURIComponent(key)}`;
  try {
    const answer = await fetch(address, { headers: { authorization: `Bearer ${token}` }, signal: AbortSignal.timeout(PATIENCE_MS) });
    const bytes = Buffer.from(await answer.arrayBuffer());
    if (answer.status === 200) return bytes.equals(expected) ? [] : [otherBytes(address, bytes.length, expected.length)];
    return [refused(url, address, answer.status, codeIn(bytes))];
  } catch (cause) {
    return [
      error('round-trip.api-unreachable', {
        resource: url,
        what: `the API does not answer (${errorMessage(cause)})`,
        nextStep: 'Check SEALDROP_API_URL, or leave it out: the stack says its address.',
      }),
    ];
  }
}

function otherBytes(resource: string, found: number, expected: number): Finding {
  return error('round-trip.other-bytes', {
    resource,
    what: `the API gave other bytes than were dropped (${found} bytes instead of ${expected})`,
    nextStep: 'Look at the object in the target bucket and at its record: somebody may have written it.',
    evidence: { found, expected },
  });
}

function refused(api: string, resource: string, status: number, code: string | null): Finding {
  const evidence = { status, code };
  if (status === 401)
    return warning('round-trip.token-refused', {
      resource: api,
      what: 'the API does not take the token in SEALDROP_TOKEN',
      nextStep: 'Get a fresh one from the issuer, with the audience that the stack was deployed with.',
      evidence,
    });
  if (status === 403)
    return warning('round-trip.token-without-right', {
      resource,
      what: 'the token in SEALDROP_TOKEN gives no right to read this key',
      nextStep: 'Take a token of somebody whom an access rule of the policy lets read everywhere.',
      evidence,
    });
  return error('round-trip.download-failed', {
    resource,
    what: `the API answers ${status}${code === null ? '' : ` (${code})`}`,
    nextStep: 'Look at the log group of the function download for the id in the answer.',
    evidence,
  });
}

/** https://www.rfc-editor.org/rfc/rfc9457 */
function codeIn(bytes: Buffer): string | null {
  try {
    const problem: unknown = JSON.parse(bytes.toString('utf8'));
    return typeof problem === 'object' && problem !== null && 'code' in problem ? String(problem.code) : null;
  } catch {
    return null;
  }
}
