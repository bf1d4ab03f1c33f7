// An application of the CDK that takes edgeauth in: an API with one function behind it, and a health check for everybody.

import { App, Stack } from 'aws-cdk-lib';
import * as apigateway from 'aws-cdk-lib/aws-apigateway';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { EdgeAuth } from '../lib';

const app = new App({ outdir: process.env.OUT ?? 'cdk.out', analyticsReporting: false });
const stack = new Stack(app, 'orders');

const api = new apigateway.RestApi(stack, 'Api', { endpointTypes: [apigateway.EndpointType.REGIONAL], deployOptions: { stageName: 'prod' }, cloudWatchRole: false });
const orders = new lambda.Function(stack, 'Orders', {
  runtime: lambda.Runtime.PYTHON_3_13,
  handler: 'index.handler',
  code: lambda.Code.fromInline(`import json

def handler(event, context):
    caller = event["requestContext"].get("authorizer") or {}
    if event["resource"] != "/health" and not caller.get("sub"):  # no context is nobody
        return {"statusCode": 401, "body": "{}"}
    return {"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": json.dumps({"sub": caller.get("sub"), "email": caller.get("email")})}
`),
});
api.root.addMethod('GET', new apigateway.LambdaIntegration(orders));
api.root.addResource('health').addMethod('GET', new apigateway.LambdaIntegration(orders));

const release = process.env.RELEASE ?? 'edgeauth'; // or its folder x86_64
const architecture = release.endsWith('x86_64') ? lambda.Architecture.X86_64 : lambda.Architecture.ARM_64;
new EdgeAuth(stack, 'EdgeAuth', { release, architecture, api, publicRoutes: ['GET /health'] });

api.root.addResource('orders').addResource('{proxy+}').addMethod('ANY', new apigateway.LambdaIntegration(orders)); // later, and guarded all the same
app.synth();
