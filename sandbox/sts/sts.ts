/**
 * STS, as far as it takes to ask who one is.
 *
 * What it does not do (2026-11-21): every operation but GetCallerIdentity. Roles get their credentials in process.
 */
import { ACCOUNT_ID } from '../account.ts';
import type { Judge } from '../iam/judge.ts';
import { queryRefusal } from '../iam/refusal.ts';
import type { Service } from '../service.ts';
import { createQueryService } from '../wire/query-service.ts';

export function createSts(judge: Judge): Service {
  return createQueryService<'GetCallerIdentity'>({
    service: 'sts',
    namespace: 'https://sts.amazonaws.com/doc/2011-06-15/',
    judge,
    refusal: queryRefusal,
    operations: {
      // Everybody may ask: https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
      GetCallerIdentity: {
        action: 'sts:GetCallerIdentity',
        resources: () => [],
        run: (_form, { arn, userId }) => ({ Arn: arn, UserId: userId, Account: ACCOUNT_ID }),
      },
    },
  });
}
