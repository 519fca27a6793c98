/** A request without an answer, or with less than one. */
import { Failure } from '../failure.ts';
import { errorMessage } from '../sdk-error.ts';

/** A name that does not exist, a certificate that does not hold: no other try finds it otherwise. */
const HOPELESS = /^(ENOTFOUND|ERR_TLS|CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|ERR_SSL|EPROTO|ERR_INVALID)/;

export class Unanswered extends Failure {
  override readonly name = 'Unanswered';
  /** The same request may be answered later. */
  readonly retryable: boolean;
  readonly retryAfterMs = null;

  /** @param reached it answered before: who never did is probably not there */
  constructor(url: URL, cause: unknown, reached: boolean) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
    // Happy eyeballs tries several addresses, and says of their failures only the code.
    const said = errorMessage(cause) || code;
    super(reached ? `The connection to ${url.origin} broke (${said}).` : `The API at ${url.origin} cannot be reached (${said}).`, {
      nextStep: reached ? 'Run the same command again.' : 'Is --api or SEALDROP_API_URL right, and does the API run?',
      exitCode: reached ? 1 : 2,
      cause,
    });
    this.retryable = !HOPELESS.test(code) && (reached || code !== 'ECONNREFUSED');
  }
}
