// Writes cdk.json: a stack with an API of each kind, as the CDK (aws-cdk-lib 2.276.0) synthesises it. Run it where that is installed: node cdk.mjs code cdk.json
import { writeFileSync } from 'node:fs'
import * as cdk from 'aws-cdk-lib'

const { aws_apigateway: rest, aws_apigatewayv2: v2, aws_apigatewayv2_authorizers: authorizers, aws_apigatewayv2_integrations: integrations, aws_cognito: cognito, aws_lambda: lambda } = cdk
const [code, out] = process.argv.slice(2)
const app = new cdk.App({ analyticsReporting: false })
const stack = new cdk.Stack(app, 'App')
const fn = (id) => new lambda.Function(stack, id, { runtime: lambda.Runtime.PROVIDED_AL2023, handler: 'bootstrap', code: lambda.Code.fromAsset(code), environment: { MODE: '' } })
const authorizer = fn('Authorizer')
const pages = fn('Pages')

const api = new rest.RestApi(stack, 'Api', {
  deployOptions: { stageName: 'Prod' }, endpointTypes: [rest.EndpointType.REGIONAL], minCompressionSize: cdk.Size.kibibytes(1),
  defaultCorsPreflightOptions: { allowOrigins: ['https://app.example'], allowCredentials: true },
})
const session = new rest.RequestAuthorizer(stack, 'Session', { handler: authorizer, identitySources: [], resultsCacheTtl: cdk.Duration.seconds(0) })
const guarded = { authorizer: session, authorizationType: rest.AuthorizationType.CUSTOM }
const toPages = new rest.LambdaIntegration(pages)
api.root.addMethod('GET', toPages, guarded)
api.root.addProxy({ anyMethod: false }).addMethod('ANY', toPages, guarded)
api.root.addResource('auth').addProxy({ anyMethod: false }).addMethod('ANY', toPages, { authorizationType: rest.AuthorizationType.NONE })
api.addGatewayResponse('Denied', { type: rest.ResponseType.ACCESS_DENIED, statusCode: '302', responseHeaders: { Location: 'context.authorizer.location' }, templates: { 'application/json': '{}' } })

const http = new v2.HttpApi(stack, 'Http', { corsPreflight: { allowOrigins: ['https://app.example'], allowMethods: [v2.CorsHttpMethod.GET] } })
http.addRoutes({
  path: '/things/{id}', methods: [v2.HttpMethod.GET], integration: new integrations.HttpLambdaIntegration('Things', pages),
  authorizer: new authorizers.HttpLambdaAuthorizer('HttpSession', authorizer, { identitySource: [], resultsCacheTtl: cdk.Duration.seconds(0), responseTypes: [authorizers.HttpLambdaResponseType.IAM] }),
})

const chat = new v2.WebSocketApi(stack, 'Chat', {
  connectRouteOptions: {
    integration: new integrations.WebSocketLambdaIntegration('Handshake', pages),
    authorizer: new authorizers.WebSocketLambdaAuthorizer('ChatSession', authorizer, { identitySource: ['route.request.header.Cookie'] }),
  },
  defaultRouteOptions: { integration: new integrations.WebSocketLambdaIntegration('Message', pages), returnResponse: true },
})
new v2.WebSocketStage(stack, 'Live', { webSocketApi: chat, stageName: 'live', autoDeploy: true })

const pool = new cognito.UserPool(stack, 'Pool', { signInAliases: { email: true } })
pool.addDomain('Domain', { cognitoDomain: { domainPrefix: 'app-login' } })
pool.addClient('Client', {
  generateSecret: true,
  oAuth: { flows: { authorizationCodeGrant: true }, scopes: [cognito.OAuthScope.OPENID], callbackUrls: [api.urlForPath('/auth/callback')], logoutUrls: ['https://app.example/'] },
})

writeFileSync(out, JSON.stringify(app.synth().getStackByName('App').template, null, 1) + '\n')
