// The first step of a sign-in with AWS's SDK and openid-client, written as their documentation shows: what the callback's start is compared with. A
// comparison, not a product: it knows this one step alone.
import { CognitoIdentityProviderClient, DescribeUserPoolClientCommand } from '@aws-sdk/client-cognito-identity-provider';
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import * as client from 'openid-client';

const { Parameter } = await new SSMClient({}).send(new GetParameterCommand({ Name: process.env.AUTH_PARAMETER, WithDecryption: true }));
const settings = JSON.parse(Parameter.Value);
const { UserPoolClient } = await new CognitoIdentityProviderClient({}).send(
  new DescribeUserPoolClientCommand({ UserPoolId: settings.user_pool_id, ClientId: settings.client_id }),
);
const config = new client.Configuration(
  {
    issuer: settings.issuer,
    authorization_endpoint: settings.login_url + '/oauth2/authorize',
    token_endpoint: settings.login_url + '/oauth2/token',
    jwks_uri: settings.jwks_url,
  },
  settings.client_id,
  UserPoolClient.ClientSecret,
);

export const handler = async (event) => {
  const verifier = client.randomPKCECodeVerifier();
  const state = client.randomState();
  const nonce = client.randomNonce();
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: settings.base_urls[0] + '/auth/callback',
    scope: settings.scopes,
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
    nonce,
  });
  const pending = Buffer.from(JSON.stringify({ verifier, state, nonce, target: event.queryStringParameters?.return_to })).toString('base64url');
  return {
    statusCode: 302,
    multiValueHeaders: { Location: [url.href], 'Set-Cookie': [`__Host-login=${pending}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=600`] },
    body: '',
  };
};
