/**
 * The API's stage, a resource of its own: Serverless makes one with the deployment, of which CloudFormation changes nothing later.
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-request-throttling.html
 */
import { usesLinks } from '../src/policy/links.ts';
import { type Part, ref } from './cloudformation.ts';
import type { Stack } from './stack.ts';

/** A guess costs a call of the table: whoever tries links gets no further than this. */
const LINKS = { ThrottlingRateLimit: 50, ThrottlingBurstLimit: 100 };

/** What Serverless calls the deployment carries a time; stack/api-stage.cjs puts its name in this one's place. */
export const DEPLOYMENT = 'ApiDeployment';

/** A trace holds URLs, and the URL of a share link is the link. */
export const tracesApi = ({ settings, policy }: Pick<Stack, 'settings' | 'policy'>): boolean => settings.tracing && !usesLinks(policy);

/** Each method has its own share of these: the gateway knows no total of a stage but the account's. */
export function apiStage({ stage, settings, policy }: Stack): Part {
  const { requestsPerSecond, requestBurst } = settings;
  const everything = { ThrottlingRateLimit: requestsPerSecond, ThrottlingBurstLimit: requestBurst };
  const links = ['GET', 'HEAD'].map((HttpMethod) => ({ HttpMethod, ResourcePath: '/~1links~1{link}', ...LINKS }));
  return {
    Resources: {
      ApiStage: {
        Type: 'AWS::ApiGateway::Stage',
        Properties: {
          RestApiId: ref('ApiGatewayRestApi'),
          DeploymentId: ref(DEPLOYMENT),
          StageName: stage,
          TracingEnabled: tracesApi({ settings, policy }),
          MethodSettings: [{ HttpMethod: '*', ResourcePath: '/*', ...everything }, ...(usesLinks(policy) ? links : [])],
        },
      },
    },
  };
}
