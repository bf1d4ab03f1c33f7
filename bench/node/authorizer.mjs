// The same decision with AWS's own verifier, written as its documentation shows: what edgeauth is compared with. A comparison, not a product: it
// splits no paths, knows no rules and logs nothing.
import { CognitoJwtVerifier } from 'aws-jwt-verify';

const issuer = process.env.AUTH_ISSUER;
const verifier = CognitoJwtVerifier.create({
  userPoolId: issuer.slice(issuer.lastIndexOf('/') + 1),
  tokenUse: 'id',
  clientId: process.env.AUTH_CLIENT_IDS,
});
verifier.cacheJwks(JSON.parse(process.env.AUTH_JWKS));

export const verify = (token) => verifier.verifySync(token);

// session puts the pieces of the session cookie together.
function session(header) {
  const cookies = {};
  for (const pair of header.split('; ')) {
    const at = pair.indexOf('=');
    cookies[pair.slice(0, at)] = pair.slice(at + 1);
  }
  const first = cookies['__Host-id'] ?? '';
  const tilde = first.indexOf('~');
  if (tilde < 0) return first;
  let token = first.slice(tilde + 1);
  for (let i = 2; i <= Number(first.slice(0, tilde)); i++) token += cookies[`__Host-id-${i}`];
  return token;
}

export function decide(event) {
  const header = event.headers.cookie ?? event.headers.Cookie;
  if (!header) throw new Error('Unauthorized');
  const claims = verify(session(header));
  return {
    principalId: claims.sub,
    policyDocument: {
      Version: '2012-10-17',
      Statement: [{ Action: 'execute-api:Invoke', Effect: 'Allow', Resource: event.methodArn.split('/').slice(0, 2).join('/') + '/*' }],
    },
    context: {
      v: '1',
      iss: claims.iss,
      sub: claims.sub,
      username: claims['cognito:username'],
      email: claims.email,
      groups: (claims['cognito:groups'] ?? []).join(' '),
      token_use: claims.token_use,
      client_id: claims.aud,
      exp: String(claims.exp),
      auth_time: String(claims.auth_time),
    },
  };
}

export const handler = async (event) => decide(event);
