import { describe, expect, test } from 'vitest';
import { CannotLook } from '../../../cli/cannot-look.ts';
import { error } from '../../../cli/doctor/finding.ts';
import { look } from '../../../cli/doctor/look.ts';
import { refusal } from './world.ts';

const question = { subject: 'table', resource: 'the-table', action: 'dynamodb:DescribeTable' } as const;
const missing = error('table.missing', { resource: 'the-table', what: 'there is none', nextStep: 'Make one.' });
const failing = (cause: Error) =>
  look(
    question,
    () => Promise.reject(cause),
    () => [],
    { ResourceNotFoundException: () => [missing] },
  );

describe('a look', () => {
  test('is judged by its answer', async () => {
    expect(
      await look(
        question,
        async () => 'answer',
        (answer) => (answer === 'answer' ? [missing] : []),
      ),
    ).toEqual([missing]);
  });

  test('knows what an absence means', async () => {
    expect(await failing(refusal('ResourceNotFoundException'))).toEqual([missing]);
  });

  test.each([
    refusal('AccessDenied', 403),
    refusal('AccessDeniedException', 400),
    // An answer to HEAD has no body, and so no name that means anything.
    refusal('UnknownError', 403),
  ])('that is refused with %s is a warning that names the right', async (cause) => {
    expect(await failing(cause)).toMatchObject([
      {
        id: 'table.could-not-look',
        severity: 'warning',
        resource: 'the-table',
        what: 'could not look: dynamodb:DescribeTable is denied',
        nextStep: expect.stringContaining('Grant dynamodb:DescribeTable'),
      },
    ]);
  });

  test.each([
    [refusal('MethodNotAllowed', 405), 'Run it in the account that owns'],
    [refusal('InternalError', 500), 'Try again'],
    [refusal('NotImplemented', 501), 'Try again'],
  ])('that fails with %s is never a pass', async (cause, step) => {
    expect(await failing(cause)).toMatchObject([
      { id: 'table.could-not-look', what: expect.stringContaining(cause.name), nextStep: expect.stringContaining(step) },
    ]);
  });

  test.each([
    Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }),
    refusal('ExpiredToken', 403),
    refusal('CredentialsProviderError'),
  ])('that fails with %s ends every look', async (cause) => {
    await expect(failing(cause)).rejects.toThrow(CannotLook);
  });
});
