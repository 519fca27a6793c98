export type { Api, Authorization, Authorizer, GatewayResponse, Integration, Method } from './model.ts';
export { openRestApi, type RestApi, type RestApiOptions } from './server.ts';
