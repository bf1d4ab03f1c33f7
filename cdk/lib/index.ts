// This file puts the part, edgeauth.yaml of a release, beside a REST API of the CDK, and the authorizer before each of its methods.

import { Annotations, Aspects, CfnStack, Duration, type IAspect, Stack, Token } from 'aws-cdk-lib';
import * as apigateway from 'aws-cdk-lib/aws-apigateway';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import { Construct, type IConstruct } from 'constructs';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What edgeauth is told. */
export interface EdgeAuthProps {
  /** Folder `edgeauth/` of a release; its folder `x86_64` for that architecture. */
  readonly release: string;

  /** The API whose requests the authorizer decides. Leave its `defaultMethodOptions` without an authorizer: `protect` sets it. */
  readonly api: apigateway.RestApi;

  /**
   * Where browsers find the API, origin and base path without a slash at the end, such as `https://app.example.com`.
   *
   * @default the API's execute-api address, with the stage that it deploys to
   */
  readonly baseUrl?: string;

  /**
   * Name of the application: the authorizer is `<name>-authorizer`, the callback's parameter `/<name>/auth`. At most 53 letters, digits and hyphens.
   *
   * @default the stack's name
   */
  readonly name?: string;

  /**
   * Architecture of the release's zip files.
   *
   * @default ARM_64
   */
  readonly architecture?: lambda.Architecture;

  /**
   * Further parameters of edgeauth.yaml, such as `{ ExistingUserPoolId: 'eu-west-1_abc', ExistingLoginUrl: 'https://…' }`; parameters.yaml lists them.
   *
   * @default none
   */
  readonly parameters?: Record<string, string>;

  /**
   * Routes that are open to everybody, as `GET /health`. Nothing asks the authorizer there.
   *
   * @default none but those of the sign-in and preflights
   */
  readonly publicRoutes?: string[];

  /**
   * How long logs of the callback are kept.
   *
   * @default ONE_MONTH
   */
  readonly logRetention?: logs.RetentionDays;
}

/**
 * Stateless sign-in before a REST API: the part, the callback at `/auth/{proxy+}`, the authorizer before every other method, and the gateway responses that lead a
 * browser to the login and tell a program 401.
 */
export class EdgeAuth extends Construct {
  /** The function that signs people in. */
  readonly callback: lambda.Function;
  /** The app client of the login. */
  readonly clientId: string;
  /** The user pool. */
  readonly userPoolId: string;
  /** Host of the login page. */
  readonly loginUrl: string;

  private readonly part: CfnStack;
  private readonly routes: Set<string>;
  private readonly name: string;
  private readonly api: apigateway.RestApi;

  constructor(scope: Construct, id: string, props: EdgeAuthProps) {
    super(scope, id);
    const stack = Stack.of(this);
    this.name = props.name ?? stack.stackName;
    this.api = props.api;
    this.routes = new Set(props.publicRoutes ?? []);
    const architecture = props.architecture ?? lambda.Architecture.ARM_64;

    const logGroup = new logs.LogGroup(this, 'CallbackLogs', { retention: props.logRetention ?? logs.RetentionDays.ONE_MONTH });
    this.callback = new lambda.Function(this, 'Callback', {
      description: 'Signs people in, renews their session and signs them out',
      code: lambda.Code.fromAsset(join(props.release, 'callback.zip')),
      runtime: lambda.Runtime.PROVIDED_AL2023,
      architecture,
      handler: 'bootstrap',
      memorySize: 256,
      timeout: Duration.seconds(10),
      environment: { AUTH_PARAMETER: `/${this.name}/auth` }, // a name as text: the parameter itself waits for the API
      logGroup,
    });
    props.api.root.addResource('auth').addResource('{proxy+}').addMethod('ANY', new apigateway.LambdaIntegration(this.callback, { proxy: true }), {
      authorizationType: apigateway.AuthorizationType.NONE,
    });

    const file = join(props.release, 'edgeauth.yaml');
    const text = readFileSync(file, 'utf8');
    const given = { Name: this.name, BaseUrl: props.baseUrl ?? stageUrl(props.api), ...props.parameters };
    check(text, given, architecture);
    this.part = new CfnStack(this, 'Part', {
      templateUrl: new Asset(this, 'Template', { path: packaged(this, text, join(props.release, 'authorizer.zip')) }).httpUrl,
      parameters: {
        ApiId: props.api.restApiId,
        ApiName: props.api.restApiName,
        CallbackRole: this.callback.role!.roleName,
        CallbackLogGroup: logGroup.logGroupName,
        ...given,
      },
    });
    this.clientId = this.part.getAtt('Outputs.ClientId').toString();
    this.userPoolId = this.part.getAtt('Outputs.UserPoolId').toString();
    this.loginUrl = this.part.getAtt('Outputs.LoginUrl').toString();
    this.protect(props.api);
  }

  /**
   * Puts the authorizer before every method of an API but preflights, the sign-in and public routes, and the gateway responses beside them. The constructor has done it
   * for its own API; another API, of this or another stack, is led to the login below its own address, or where the part's `LoginPath` says.
   */
  protect(api: apigateway.RestApi): void {
    const stack = Stack.of(api);
    const arn = `arn:${stack.partition}:lambda:${stack.region}:${stack.account}:function:${this.name}-authorizer:live`;
    // By a name put together from text, like everything here that the API says of the authorizer: a reference would close a circle.
    const authorizer = new apigateway.CfnAuthorizer(api, 'EdgeAuth', {
      name: 'EdgeAuth',
      restApiId: api.restApiId,
      type: 'REQUEST',
      authorizerUri: `arn:${stack.partition}:apigateway:${stack.region}:lambda:path/2015-03-31/functions/${arn}/invocations`,
      authorizerResultTtlInSeconds: 0, // one request's answer serves no other
    });
    if (api !== this.api) {
      // The part permits the one API that it knows.
      new lambda.CfnPermission(api, 'EdgeAuthPermission', {
        action: 'lambda:InvokeFunction',
        functionName: arn,
        principal: 'apigateway.amazonaws.com',
        sourceArn: `arn:${stack.partition}:execute-api:${stack.region}:${stack.account}:${api.restApiId}/authorizers/*`,
      });
    }
    responses(api);
    Aspects.of(api).add(new Guard(api, authorizer, this.routes));
  }
}

/** packaged writes the part with the address of its code, as `sam package` does, and returns where. */
function packaged(scope: Construct, text: string, archive: string): string {
  const { s3Location } = new lambda.AssetCode(archive).bind(scope);
  const code = JSON.stringify(Stack.of(scope).resolve({ S3Bucket: s3Location!.bucketName, S3Key: s3Location!.objectKey })); // JSON is YAML, and the nested stack has the same account and region
  const line = '      Code: authorizer.zip\n';
  if (text.split(line).length !== 2) throw new Error('edgeauth: this edgeauth.yaml is of no release');
  const file = join(mkdtempSync(join(tmpdir(), 'edgeauth-')), 'edgeauth.yaml');
  writeFileSync(file, text.replace(line, `      Code: ${code}\n`));
  return file;
}

/** What a parameter of edgeauth.yaml says of itself. */
interface Parameter {
  list: boolean;
  default: string;
  pattern?: RegExp;
  values?: string[];
}

/** check fails for what the part would not take: a nested stack asks late. */
function check(text: string, given: Record<string, string>, architecture: lambda.Architecture): void {
  if (!text.includes(`\n      Architectures: [${architecture.name}]\n`)) {
    throw new Error(`edgeauth: the release is not for ${architecture.name}; the folder x86_64 in it is for that architecture`);
  }
  const declared: Record<string, Parameter> = {};
  const line = (body: string, key: string): string | undefined => {
    const found = new RegExp(`^ {4}${key}: (?:'(.*)'|(.*))$`, 'm').exec(body);
    return found === null ? undefined : (found[1]?.replaceAll("''", "'") ?? found[2]);
  };
  for (const [, name, body] of section(text, 'Parameters').matchAll(/^ {2}(\w+):\n((?: {4}.*\n)+)/gm)) {
    const p: Parameter = { list: line(body!, 'Type') === 'CommaDelimitedList', default: line(body!, 'Default') ?? '' };
    const pattern = line(body!, 'AllowedPattern');
    if (pattern !== undefined) p.pattern = new RegExp(pattern);
    const values = /^ {4}AllowedValues: \[(.*)\]$/m.exec(body!);
    if (values !== null) p.values = values[1]!.split(',').map((v) => v.trim().replace(/^'|'$/g, ''));
    declared[name!] = p;
  }
  for (const [name, value] of Object.entries(given)) {
    const p = declared[name];
    if (p === undefined) throw new Error(`edgeauth: there is no parameter ${name}; parameters.yaml lists them`);
    if (Token.isUnresolved(value)) continue; // known only when it is deployed
    if (p.values !== undefined && !p.values.includes(value)) throw new Error(`edgeauth: ${name} is ${value}, which is none of ${p.values.join(', ')}`);
    const items = p.list ? value.split(',') : [value];
    if (p.pattern !== undefined && !items.every((v) => p.pattern!.test(v))) throw new Error(`edgeauth: ${name} is ${value}, which does not match ${p.pattern.source}`);
  }
  const value = (name: string): string => given[name] ?? declared[name]!.default;
  for (const [needs, ...all] of TOGETHER) {
    for (const other of all) if (value(needs!) !== '' && value(other) === '') throw new Error(`edgeauth: ${needs} needs ${other}`);
  }
  if (value('LocalUsers') === 'NONE' && value('OidcName') === '' && value('SamlName') === '') throw new Error('edgeauth: LocalUsers NONE needs an external provider');
  if (value('LoginDomain').includes('.') && value('LoginCertificateArn') === '') throw new Error('edgeauth: LoginDomain is a host name, which needs LoginCertificateArn');
}

/** What the rules of edgeauth.yaml ask for together. */
const TOGETHER = [
  ['LoginCertificateArn', 'LoginDomain'],
  ['ExistingUserPoolId', 'ExistingLoginUrl'],
  ['OidcName', 'OidcIssuer', 'OidcClientId', 'OidcSecretName'],
  ['SamlName', 'SamlMetadataUrl'],
];

/** section is a section of a template, its first line included. */
function section(text: string, name: string): string {
  const begin = text.indexOf(`\n${name}:`) + 1;
  const end = text.slice(begin).search(/\n[A-Z]/);
  return text.slice(begin, begin + end + 1);
}

/** stageUrl is the API's own address. The stage's name is read as it was written: a reference to it would close a circle. */
function stageUrl(api: apigateway.RestApi): string {
  const stage = (api.deploymentStage.node.defaultChild as apigateway.CfnStage).stageName;
  const { region, urlSuffix } = Stack.of(api);
  return `https://${api.restApiId}.execute-api.${region}.${urlSuffix}/${stage}`;
}

/** responses says what refusals look like. Each type stands alone: it inherits neither status nor headers from the defaults. */
function responses(api: apigateway.RestApi): void {
  const common = { 'Cache-Control': "'no-store'", 'X-Content-Type-Options': "'nosniff'", 'Strict-Transport-Security': "'max-age=31536000'" };
  const answer = (type: apigateway.ResponseType, statusCode: string, responseHeaders: Record<string, string>, body: object): void => {
    api.addGatewayResponse(`EdgeAuth${type.responseType}`, {
      type,
      statusCode,
      responseHeaders: { ...common, ...responseHeaders },
      templates: { 'application/json': JSON.stringify({ ...body, request_id: '$context.extendedRequestId' }) },
    });
  };
  answer(apigateway.ResponseType.ACCESS_DENIED, '302', { Location: 'context.authorizer.location', 'Referrer-Policy': "'no-referrer'" }, {
    error: 'access_denied', reason: '$context.authorizer.reason', location: '$context.authorizer.location',
  });
  answer(apigateway.ResponseType.UNAUTHORIZED, '401', { 'WWW-Authenticate': "'Bearer'" }, { error: 'unauthorized' });
  for (const type of [apigateway.ResponseType.AUTHORIZER_FAILURE, apigateway.ResponseType.AUTHORIZER_CONFIGURATION_ERROR]) {
    answer(type, '500', { 'Retry-After': "'5'" }, { error: 'cannot_tell' });
  }
}

/** Guard sets the authorizer on every method, whoever adds it and when, and makes a deployment of what it has set. */
class Guard implements IAspect {
  constructor(
    private readonly api: apigateway.RestApi,
    private readonly authorizer: apigateway.CfnAuthorizer,
    private readonly open: Set<string>,
  ) {
    api.latestDeployment?.node.addDependency(authorizer); // a deployment is of what is there when it is made
    api.latestDeployment?.addToLogicalId({ edgeauth: createHash('sha256').update(`${authorizer.authorizerUri}${[...open].join()}`).digest('hex') });
  }

  visit(node: IConstruct): void {
    if (!(node instanceof apigateway.CfnMethod)) return;
    const method = node.node.scope as apigateway.Method;
    if (!(method instanceof apigateway.Method) || method.api !== this.api) return;
    const path = method.resource.path;
    const preflight = method.httpMethod === 'OPTIONS' && (node.integration as apigateway.CfnMethod.IntegrationProperty | undefined)?.type === 'MOCK';
    if (preflight || path === '/auth/{proxy+}' || this.open.has(`${method.httpMethod} ${path}`)) return;
    if (node.authorizerId !== undefined && node.authorizerId !== this.authorizer.ref) {
      Annotations.of(node).addError(`${method.httpMethod} ${path} has another authorizer`);
    }
    node.authorizationType = 'CUSTOM';
    node.authorizerId = this.authorizer.ref;
  }
}
