// This file holds what the construct synthesises to the hazards of docs/hazards.md: the same part, and an API that stands behind it.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { App, Duration, Stack } from 'aws-cdk-lib';
import * as apigateway from 'aws-cdk-lib/aws-apigateway';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { EdgeAuth, type EdgeAuthProps } from '../lib';

/** release is a folder as `make release` writes it, with zip files that hold nothing. */
function release(): string {
  const folder = join(mkdtempSync(join(tmpdir(), 'edgeauth-release-')), 'edgeauth');
  mkdirSync(folder);
  const text = readFileSync(join(__dirname, '../../edgeauth.yaml'), 'utf8');
  writeFileSync(join(folder, 'edgeauth.yaml'), text.replace('\n      Code: .\n', '\n      Code: authorizer.zip\n'));
  for (const name of ['authorizer', 'callback']) writeFileSync(join(folder, `${name}.zip`), 'PK');
  return folder;
}

interface Made {
  stack: Stack;
  api: apigateway.RestApi;
  auth: EdgeAuth;
  backend: lambda.Function;
}

function make(props: Partial<EdgeAuthProps> = {}, more: (m: Made) => void = () => {}): { template: Template; stack: Stack } {
  const app = new App({ analyticsReporting: false });
  const stack = new Stack(app, 'orders');
  const api = new apigateway.RestApi(stack, 'Api', { cloudWatchRole: false, deployOptions: { stageName: 'prod' } });
  const backend = new lambda.Function(stack, 'Orders', { runtime: lambda.Runtime.PYTHON_3_13, handler: 'index.handler', code: lambda.Code.fromInline('x') });
  api.root.addMethod('GET', new apigateway.LambdaIntegration(backend));
  api.root.addResource('health').addMethod('GET', new apigateway.LambdaIntegration(backend));
  const auth = new EdgeAuth(stack, 'EdgeAuth', { release: release(), api, ...props });
  api.root.addResource('orders', { defaultCorsPreflightOptions: { allowOrigins: ['https://www.example.com'] } }).addMethod('POST', new apigateway.LambdaIntegration(backend));
  more({ stack, api, auth, backend });
  return { template: Template.fromStack(stack), stack };
}

const text = (v: unknown): string => JSON.stringify(v);

/** methods are the API's methods, by HTTP method and type of authorization. */
function methods(template: Template): string[] {
  return Object.values(template.findResources('AWS::ApiGateway::Method')).map((r) => `${r.Properties.HttpMethod} ${r.Properties.AuthorizationType}`).sort();
}

test('every method is guarded, whenever it was added, but the sign-in and preflights', () => {
  assert.deepEqual(methods(make().template), ['ANY NONE', 'GET CUSTOM', 'GET CUSTOM', 'OPTIONS NONE', 'POST CUSTOM']);
});

test('a public route is one that is named', () => {
  assert.deepEqual(methods(make({ publicRoutes: ['GET /health'] }).template), ['ANY NONE', 'GET CUSTOM', 'GET NONE', 'OPTIONS NONE', 'POST CUSTOM']);
  assert.deepEqual(methods(make({ publicRoutes: ['POST /health'] }).template).filter((m) => m.endsWith('NONE')), ['ANY NONE', 'OPTIONS NONE']);
});

test('the authorizer is asked for every request: nothing is cached, and no identity source answers before it', () => {
  const { template } = make();
  template.hasResourceProperties('AWS::ApiGateway::Authorizer', { Type: 'REQUEST', AuthorizerResultTtlInSeconds: 0, IdentitySource: Match.absent() });
  assert.match(text(template.findResources('AWS::ApiGateway::Authorizer')), /:function:orders-authorizer:live\/invocations/);
});

test('an OPTIONS that a backend answers is guarded like any other method', () => {
  const { template } = make({}, ({ api, backend }) => api.root.getResource('health')!.addMethod('OPTIONS', new apigateway.LambdaIntegration(backend)));
  assert.deepEqual(methods(template).filter((m) => m.startsWith('OPTIONS')), ['OPTIONS CUSTOM', 'OPTIONS NONE']);
});

test('responses are complete', () => {
  const { template } = make();
  const found = Object.values(template.findResources('AWS::ApiGateway::GatewayResponse')).map((r) => r.Properties);
  assert.deepEqual(Object.fromEntries(found.map((p) => [p.ResponseType, p.StatusCode])), {
    ACCESS_DENIED: '302', UNAUTHORIZED: '401', AUTHORIZER_FAILURE: '500', AUTHORIZER_CONFIGURATION_ERROR: '500',
  });
  for (const p of found) assert.equal(p.ResponseParameters['gatewayresponse.header.Cache-Control'], "'no-store'", p.ResponseType);
  const headers = (type: string): Record<string, string> => found.find((p) => p.ResponseType === type)!.ResponseParameters;
  assert.equal(headers('ACCESS_DENIED')['gatewayresponse.header.Location'], 'context.authorizer.location');
  assert.equal(headers('UNAUTHORIZED')['gatewayresponse.header.WWW-Authenticate'], "'Bearer'");
  assert.equal(headers('AUTHORIZER_FAILURE')['gatewayresponse.header.Retry-After'], "'5'");
});

test('a deployment is of the guarded API', () => {
  const { template } = make();
  const [deployment] = Object.values(template.findResources('AWS::ApiGateway::Deployment'));
  const authorizers = Object.keys(template.findResources('AWS::ApiGateway::Authorizer'));
  assert.ok(authorizers.every((id) => deployment!.DependsOn.includes(id)), text(deployment!.DependsOn));
  const before = Object.keys(make().template.findResources('AWS::ApiGateway::Deployment'));
  const after = Object.keys(make({ publicRoutes: ['GET /health'] }).template.findResources('AWS::ApiGateway::Deployment'));
  assert.notDeepEqual(before, after);
});

test('the part is told of this API and of this callback', () => {
  const { template } = make();
  const [part] = Object.values(template.findResources('AWS::CloudFormation::Stack')).map((r) => r.Properties.Parameters);
  const [api] = Object.keys(template.findResources('AWS::ApiGateway::RestApi'));
  assert.deepEqual(part.ApiId, { Ref: api });
  assert.equal(part.Name, 'orders');
  assert.match(text(part.BaseUrl), /https:\/\/.*execute-api.*\/prod"/);
  const callback = Object.values(template.findResources('AWS::Lambda::Function')).find((r) => r.Properties.Handler === 'bootstrap')!;
  assert.equal(callback.Properties.Environment.Variables.AUTH_PARAMETER, '/orders/auth');
  assert.equal(callback.Properties.Role['Fn::GetAtt'][0], part.CallbackRole.Ref);
  assert.deepEqual([callback.Properties.Runtime, callback.Properties.Architectures, callback.Properties.Timeout], ['provided.al2023', ['arm64'], 10]);
});

test('nothing waits for itself, though a backend uses what the part gives', () => {
  const { template } = make({}, ({ auth, backend }) => backend.addEnvironment('LOGIN', auth.loginUrl));
  const resources = template.toJSON().Resources as Record<string, { DependsOn?: string[] }>;
  const waits = (v: unknown): string[] => {
    if (Array.isArray(v)) return v.flatMap(waits);
    if (v === null || typeof v !== 'object') return [];
    return Object.entries(v).flatMap(([k, x]) => (k === 'Ref' ? [x as string] : k === 'Fn::GetAtt' ? [(x as string[])[0]!] : waits(x)));
  };
  const edges = Object.fromEntries(Object.entries(resources).map(([id, r]) => [id, [...waits(r), ...(r.DependsOn ?? [])].filter((o) => o in resources)]));
  const done = new Set<string>();
  const walk = (id: string, path: string[]): void => {
    assert.ok(!path.includes(id), `a circle: ${[...path, id].join(' -> ')}`);
    if (done.has(id)) return;
    for (const next of edges[id]!) walk(next, [...path, id]);
    done.add(id);
  };
  for (const id of Object.keys(edges)) walk(id, []);
});

test('another API brings a permission of its own, for its authorizers alone', () => {
  const { template } = make({}, ({ stack, auth, backend }) => {
    const second = new apigateway.RestApi(stack, 'Second', { cloudWatchRole: false });
    second.root.addMethod('GET', new apigateway.LambdaIntegration(backend));
    auth.protect(second);
  });
  const own = Object.values(template.findResources('AWS::Lambda::Permission')).filter((r) => text(r.Properties.FunctionName).includes('-authorizer:live'));
  assert.equal(own.length, 1);
  const [second] = Object.keys(template.findResources('AWS::ApiGateway::RestApi')).filter((id) => id.startsWith('Second'));
  assert.match(text(own[0]!.Properties.SourceArn), new RegExp(`"Ref":"${second}"},"/authorizers/\\*"`));
  assert.equal(methods(template).filter((m) => m === 'GET CUSTOM').length, 3);
});

test('a method with another authorizer is an error', () => {
  const { stack } = make({}, ({ stack: s, api, backend }) => {
    const other = new apigateway.RequestAuthorizer(s, 'Other', { handler: backend, identitySources: [], resultsCacheTtl: Duration.seconds(0) });
    api.root.addResource('other').addMethod('GET', new apigateway.LambdaIntegration(backend), { authorizer: other });
  });
  Annotations.fromStack(stack).hasError('*', Match.stringLikeRegexp('GET /other has another authorizer'));
});

test('what the part would not take is refused here', () => {
  const rows: [Record<string, string>, RegExp][] = [
    [{ Mfa: 'MAYBE' }, /Mfa is MAYBE, which is none of OFF, OPTIONAL, ON/],
    [{ LoginDomain: 'my-aws-login' }, /LoginDomain is my-aws-login, which does not match/],
    [{ SamlName: 'EntraID' }, /SamlName needs SamlMetadataUrl/],
    [{ LoginDomain: 'login.example.com' }, /LoginDomain is a host name, which needs LoginCertificateArn/],
    [{ LocalUsers: 'NONE' }, /LocalUsers NONE needs an external provider/],
    [{ Scope: 'openid' }, /there is no parameter Scope;/],
  ];
  for (const [parameters, sentence] of rows) assert.throws(() => make({ parameters }), sentence);
  assert.throws(() => make({ name: 'aws-app' }), /Name is aws-app, which does not match/);
  assert.throws(() => make({ baseUrl: 'https://app.example.com/' }), /BaseUrl is https:\/\/app.example.com\/, which does not match/);
  assert.throws(() => make({ architecture: lambda.Architecture.X86_64 }), /the release is not for x86_64/);
});

test('what is given reaches the part', () => {
  const { template } = make({ name: 'shop', baseUrl: 'https://app.example.com', parameters: { ExistingProviders: 'COGNITO,Okta', SessionMinutes: '30' } });
  const [part] = Object.values(template.findResources('AWS::CloudFormation::Stack')).map((r) => r.Properties.Parameters);
  assert.deepEqual([part.Name, part.BaseUrl, part.ExistingProviders, part.SessionMinutes], ['shop', 'https://app.example.com', 'COGNITO,Okta', '30']);
});
