// The npm package oidc-provider, with the paths and the claims of Amazon Cognito, which it is given by configuration alone. Its settings come as JSON in
// the variable SETTINGS; it prints "ready" once it listens.
//
// What stays different from Cognito, and is meant to: the callback carries iss (RFC 9207), people are asked for their consent and before they are signed
// out, and the logout endpoint calls Cognito's logout_uri post_logout_redirect_uri.
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { Provider } from 'oidc-provider';

const { port, client_id, client_secret, callback_url, logout_url, rotation, groups } = JSON.parse(process.env.SETTINGS);

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });

const provider = new Provider(`http://127.0.0.1:${port}`, {
  routes: {
    authorization: '/oauth2/authorize',
    token: '/oauth2/token',
    revocation: '/oauth2/revoke',
    userinfo: '/oauth2/userInfo',
    jwks: '/.well-known/jwks.json',
    end_session: '/logout',
  },
  clients: [{
    client_id,
    client_secret,
    redirect_uris: [callback_url],
    post_logout_redirect_uris: [logout_url],
    grant_types: ['authorization_code', 'refresh_token'],
    require_auth_time: true,
  }],
  claims: {
    openid: ['sub', 'token_use', 'cognito:username', 'cognito:groups'],
    email: ['email', 'email_verified'],
  },
  conformIdTokenClaims: false, // all of them in the ID token
  findAccount: (_, id) => ({
    accountId: id,
    claims: (use) => ({
      sub: id,
      email: id,
      email_verified: true,
      token_use: use === 'id_token' ? 'id' : 'access',
      'cognito:username': id,
      'cognito:groups': groups[id],
    }),
  }),
  pkce: { required: () => true },
  issueRefreshToken: () => true, // without being asked for offline access
  expiresWithSession: () => false,
  rotateRefreshToken: () => rotation,
  features: {
    devInteractions: { enabled: true }, // a login page that takes any password
    revocation: { enabled: true },
    rpInitiatedLogout: {
      enabled: true,
      logoutSource(ctx, form) {
        ctx.body = form.replace('</form>', '<input type="hidden" name="logout" value="yes"/><button type="submit">Sign out</button></form>');
      },
    },
  },
  jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), kid: 'signing', alg: 'RS256', use: 'sig' }] },
  cookies: { keys: [randomBytes(32).toString('hex')] },
  ttl: { AccessToken: 3600, AuthorizationCode: 300, Grant: 86400, IdToken: 3600, Interaction: 600, RefreshToken: 86400, Session: 86400 },
});

const answer = provider.callback();
createServer((request, response) => {
  if (request.url.startsWith('/logout?')) { // RP-Initiated Logout 1.0 section 2 has another name for it
    request.url = request.url.replace(/([?&])logout_uri=/, '$1post_logout_redirect_uri=');
  }
  answer(request, response);
}).listen(port, '127.0.0.1', () => console.log('ready'));
