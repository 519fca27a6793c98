/** A plugin of Serverless: its deployment makes no stage, since stack/api-stage.ts does, and gives the stage its name. */
const { DEPLOYMENT } = require('./api-stage.ts');

module.exports = class ApiStage {
  constructor(serverless) {
    this.hooks = {
      'after:aws:package:finalize:mergeCustomProviderResources': () => {
        const { Resources } = serverless.service.provider.compiledCloudFormationTemplate;
        const [id, deployment] = Object.entries(Resources).find(([, { Type }]) => Type === 'AWS::ApiGateway::Deployment') ?? [];
        if (deployment === undefined) throw new Error('Serverless made no deployment of the API');
        delete deployment.Properties.StageName;
        for (const { Properties } of Object.values(Resources)) {
          if (Properties?.DeploymentId?.Ref === DEPLOYMENT) Properties.DeploymentId = { Ref: id };
        }
      },
    };
  }
};
