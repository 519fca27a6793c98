import { describe, expect, it } from 'vitest';
import { apiStage } from '../../stack/api-stage.ts';
import { policyOf, stackOf } from './stack.ts';

const stageOf = (may: ('read' | 'share')[]) => {
  const policy = { ...policyOf(), access: [{ who: { claim: 'groups', has: 'a' }, may, under: [''] }] };
  return apiStage(stackOf(policy, { requestsPerSecond: 7, requestBurst: 9 })).Resources?.ApiStage?.Properties;
};
const ALL = { HttpMethod: '*', ResourcePath: '/*', ThrottlingRateLimit: 7, ThrottlingBurstLimit: 9 };

describe('the stage of the API', () => {
  it('takes so many requests of each method as the settings say', () => {
    expect(stageOf(['read'])).toMatchObject({ StageName: 'qa', MethodSettings: [ALL] });
  });

  it('is not traced where URLs open something', () => {
    const traced = (may: 'read' | 'share') => {
      const policy = { ...policyOf(), access: [{ who: { claim: 'groups', has: 'a' }, may: [may], under: [''] }] };
      return apiStage(stackOf(policy, { tracing: true })).Resources?.ApiStage?.Properties;
    };
    expect(traced('read')).toMatchObject({ TracingEnabled: true });
    expect(traced('share')).toMatchObject({ TracingEnabled: false });
  });

  it('takes few of those that anybody may send', () => {
    const few = { ResourcePath: '/~1links~1{link}', ThrottlingRateLimit: 50, ThrottlingBurstLimit: 100 };
    expect(stageOf(['share'])).toMatchObject({ MethodSettings: [ALL, { HttpMethod: 'GET', ...few }, { HttpMethod: 'HEAD', ...few }] });
  });
});
