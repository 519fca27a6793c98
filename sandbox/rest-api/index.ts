export type { Api, Authorization, Authorizer, GatewayResponse, Integration, Method, Throttle, Throttling } from './model.ts';
export { openRestApi, type RestApi, type RestApiOptions } from './server.ts';
export { ACCOUNT_THROTTLE } from './throttle.ts';
