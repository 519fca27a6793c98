export { createCloudFormation, type DescribedStack } from './cloudformation.ts';
export { type DeployOptions, deployStack, type Stack } from './deploy.ts';
export { DeploymentError } from './deployment-error.ts';
export type { Services } from './services.ts';
export { parseTemplate, readTemplate, type Template } from './template.ts';
