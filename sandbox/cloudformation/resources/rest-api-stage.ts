/** The stage of the REST API: made by its deployment, or a resource of its own. */
import { z } from 'zod';
import { ACCOUNT_THROTTLE, type Throttle } from '../../rest-api/index.ts';
import type { StageDraft, ThrottleDraft } from '../api-draft.ts';
import { type Definition, define, flag, integer, number, type ResourceInput, tags, text } from '../definition.ts';
import { DeploymentError } from '../deployment-error.ts';
import { shortId } from './rest-api.ts';

const notNegative = (limit: number) => limit >= 0;

const methodSettings = {
  ThrottlingBurstLimit: integer.refine(notNegative, 'is negative').optional(),
  ThrottlingRateLimit: number.refine(notNegative, 'is negative').optional(),
  // Without a local meaning: metrics and logs.
  DataTraceEnabled: flag.optional(),
  LoggingLevel: z.enum(['OFF', 'ERROR', 'INFO']).optional(),
  MetricsEnabled: flag.optional(),
};
const methodSetting = z.strictObject({ HttpMethod: text, ResourcePath: text, ...methodSettings });
const stageSettings = {
  Description: text.optional(),
  MethodSettings: z.array(methodSetting).default([]),
  // Without a local meaning: access logs and traces.
  AccessLogSetting: z.strictObject({ DestinationArn: text, Format: text }).optional(),
  TracingEnabled: flag.optional(),
  Tags: tags.optional(),
};

type MethodSetting = z.output<typeof methodSetting>;
type ThrottleSettings = Pick<MethodSetting, 'ThrottlingBurstLimit' | 'ThrottlingRateLimit'>;

export const restApiStageResources: Record<'AWS::ApiGateway::Deployment' | 'AWS::ApiGateway::Stage', Definition> = {
  'AWS::ApiGateway::Deployment': define({
    schema: z.strictObject({
      RestApiId: text,
      StageName: text.optional(),
      Description: text.optional(),
      StageDescription: z.strictObject({ ...stageSettings, ...methodSettings }).optional(),
    }),
    volatile: true,
    apply(input) {
      const { logicalId, properties, generatedName } = input;
      const { StageName, StageDescription } = properties;
      if (StageName === undefined && StageDescription !== undefined) {
        throw new DeploymentError(`${logicalId}: a StageDescription goes with a StageName`);
      }
      if (StageName !== undefined) {
        const own = StageDescription === undefined ? [] : defaultsOf(StageDescription);
        putStage(input, StageName, [...own, ...throttlesOf(logicalId, StageDescription?.MethodSettings ?? [])]);
      }
      return { physicalId: shortId(generatedName), attributes: { DeploymentId: shortId(generatedName) } };
    },
  }),
  'AWS::ApiGateway::Stage': define({
    schema: z.strictObject({ RestApiId: text, DeploymentId: text, StageName: text, ...stageSettings }),
    volatile: true,
    apply(input) {
      const { StageName, MethodSettings } = input.properties;
      putStage(input, StageName, throttlesOf(input.logicalId, MethodSettings));
      return { physicalId: StageName, attributes: {} };
    },
  }),
};

function putStage({ logicalId, api }: ResourceInput<unknown>, name: string, throttles: StageDraft['throttles']): void {
  if (api.stage !== null) throw new DeploymentError(`${logicalId}: the sandbox has one stage, and ${api.stage.logicalId} makes it already`);
  api.stage = { logicalId, name, throttles };
}

function defaultsOf(settings: ThrottleSettings): ThrottleDraft[] {
  const { ThrottlingBurstLimit, ThrottlingRateLimit } = settings;
  if (ThrottlingBurstLimit === undefined && ThrottlingRateLimit === undefined) return [];
  return [{ method: null, throttle: throttleOf(settings) }];
}

function throttlesOf(logicalId: string, settings: readonly MethodSetting[]): ThrottleDraft[] {
  return settings.map((setting) => ({ method: methodOf(logicalId, setting), throttle: throttleOf(setting) }));
}

/** Settings of one method are whole: what they leave out is the account's, not the stage's. */
function throttleOf({ ThrottlingBurstLimit, ThrottlingRateLimit }: ThrottleSettings): Throttle {
  return {
    rateLimit: ThrottlingRateLimit ?? ACCOUNT_THROTTLE.rateLimit,
    burstLimit: ThrottlingBurstLimit ?? ACCOUNT_THROTTLE.burstLimit,
  };
}

/**
 * `null`: all methods.
 * @see https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-apigateway-stage-methodsetting.html
 */
function methodOf(logicalId: string, { HttpMethod, ResourcePath }: MethodSetting): ThrottleDraft['method'] {
  if (HttpMethod === '*' && ResourcePath === '/*') return null;
  const which = `${logicalId}: MethodSettings of ${HttpMethod} ${ResourcePath}`;
  // AWS deploys it and then applies it to nothing: https://github.com/aws/serverless-application-model/issues/1518
  if (HttpMethod === '*' || ResourcePath === '/*') throw new DeploymentError(`${which}: a wildcard is * with /*, or neither`);
  if (ResourcePath === '/') return { httpMethod: HttpMethod, resourcePath: '/' };
  if (!/^\/~1[^/]+$/.test(ResourcePath)) throw new DeploymentError(`${which}: the path /a/b is written /~1a~1b`);
  return { httpMethod: HttpMethod, resourcePath: ResourcePath.slice(1).replaceAll('~1', '/') };
}
