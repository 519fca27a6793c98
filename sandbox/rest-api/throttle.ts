/**
 * How many requests may come: a bucket for each method, and one for the account.
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-request-throttling.html
 */
import type { RouteMatch } from './event.ts';
import type { Api, Throttle } from './model.ts';

/** @see https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html#apigateway-account-level-limits-table */
export const ACCOUNT_THROTTLE: Throttle = { rateLimit: 10_000, burstLimit: 5_000 };

/** Takes a token of the method's bucket and one of the account's; `false`: one of them is empty. */
export type Admit = (route: RouteMatch, httpMethod: string) => boolean;

/** Takes a token, or says that there is none. */
type Take = () => boolean;

/** @param now milliseconds */
export function createThrottle({ throttling }: Api, now: () => number): Admit {
  const takeOfAccount = createBucket(ACCOUNT_THROTTLE, now);
  const buckets = new Map<string, Take>();

  return ({ method }, httpMethod) => {
    // By the request's verb, not the resource's `ANY`: settings name verbs.
    const name = `${httpMethod} ${method.resourcePath}`;
    const take = buckets.get(name) ?? createBucket(throttling.methods[name] ?? throttling.default, now);
    buckets.set(name, take);
    return take() && takeOfAccount();
  };
}

function createBucket({ rateLimit, burstLimit }: Throttle, now: () => number): Take {
  let tokens = burstLimit;
  let filled = now();
  return () => {
    const time = now();
    tokens = Math.min(burstLimit, tokens + (Math.max(0, time - filled) / 1000) * rateLimit);
    filled = time;
    if (tokens < 1) return false;
    tokens -= 1;
    return true;
  };
}
