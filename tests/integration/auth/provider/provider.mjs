// A certified provider of OpenID Connect, on a free port of this machine: `node provider.mjs`. Its first line is its address.
import { createServer } from 'node:http';
import { generateKeyPairSync } from 'node:crypto';
import { Provider } from 'oidc-provider';

const server = createServer();
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const issuer = `http://127.0.0.1:${server.address().port}`;
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const audience = 'urn:whimbrel';
const groups = { ada: ['ml', 'everybody'], bob: ['everybody'], ci: ['robots'] };

const provider = new Provider(issuer, {
  jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256', kid: 'one' }] },
  cookies: { keys: ['tests'] },
  clients: [
    { client_id: 'ci', client_secret: 'the-secret-of-ci', grant_types: ['client_credentials'], redirect_uris: [], response_types: [] },
    { client_id: 'other', client_secret: 'the-secret-of-other', grant_types: ['client_credentials'], redirect_uris: [], response_types: [] },
    {
      client_id: 'whimbrel-people',
      token_endpoint_auth_method: 'none',
      application_type: 'native',
      grant_types: ['authorization_code', 'refresh_token'],
      redirect_uris: ['http://127.0.0.1/callback', 'http://localhost/console/login'],
    },
  ],
  clientBasedCORS: () => true,
  pkce: { required: () => true },
  findAccount: (ctx, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  extraTokenClaims: (ctx, token) => ({ groups: groups[token.accountId ?? token.clientId] ?? [] }),
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => audience,
      useGrantedResource: () => true,
      getResourceServerInfo: (ctx, resource) => ({
        scope: 'all read',
        audience: resource,
        accessTokenTTL: 600,
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg: 'RS256' } },
      }),
    },
  },
});
server.on('request', provider.callback());
console.log(issuer);
