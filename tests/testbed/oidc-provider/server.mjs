// An OpenID provider (npm oidc-provider) with users, clients, key rotation, faults and forged tokens; README.md says what
// is in it.
//   node server.mjs NODE_FOLDER [--port 0] [--host 127.0.0.1] [--path /realms/test] [--cert server.pem --key server.key]
//                   [--redirect URI ...] [--access-ttl 300] [--keys FILE] [--config extra.json]
// NODE_FOLDER is what install.sh made. Prints KEY=VALUE lines, OIDC_PID last, when it accepts connections; ends with its
// standard input, or on TERM or INT. With --keys it signs with the keys in that file, as the run before it did.
import http from 'node:http';
import https from 'node:https';
import fs from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

const { values: a, positionals: [folder] } = parseArgs({ allowPositionals: true, options: {
  port: { type: 'string', default: '0' }, host: { type: 'string', default: '127.0.0.1' }, path: { type: 'string', default: '' },
  cert: { type: 'string' }, key: { type: 'string' }, redirect: { type: 'string', multiple: true, default: [] },
  'access-ttl': { type: 'string', default: '300' }, keys: { type: 'string' },
  config: { type: 'string' } } });
const installed = async (name) => { // imports are looked for beside this file alone, where nothing is installed
  const home = join(folder, 'node_modules', name); const { exports, main } = JSON.parse(fs.readFileSync(join(home, 'package.json'), 'utf8'));
  const entry = exports?.['.'] ?? exports ?? main; return import(pathToFileURL(join(home, entry?.import ?? entry?.default ?? entry))); };
const { Provider } = await installed('oidc-provider'); const jose = await installed('jose');
const extra = a.config ? JSON.parse(fs.readFileSync(a.config, 'utf8')) : {};

// ---- people: password is NAME-pw; service accounts are the client_credentials clients -------------------------
const users = {
  alice: { email: 'alice@example.test', groups: ['admins', 'dev'], roles: { airflow: ['Admin', 'Op'], other: ['x'] } },
  bob: { email: 'bob@example.test', groups: ['dev'], roles: { airflow: ['Viewer'] } },
  // roles as Airflow's guide has them: only those that hold "airflow" are passed on
  amelia: { email: 'amelia@example.test', groups: [], roles: { airflow: ['airflow_admin', 'offline_access', 'Viewer'] } },
  oscar: { email: 'oscar@example.test', groups: [], roles: { airflow: ['airflow_op'] } },
  carol: { email: 'carol@example.test', groups: [], roles: {} },
  // claim shapes that break naive readers
  mallory: { email: 'mallory@example.test', groups: 'admins', raw: { resource_access: { airflow: { roles: 'Admin' } } } },
  'service-account-m2m': { groups: ['bots'], roles: { airflow: ['Op'] }, nologin: true },
  ...extra.users };
const claimsOf = (id) => { const u = users[id]; if (!u) return undefined; return {
  sub: id, preferred_username: id, name: `${id[0].toUpperCase()}${id.slice(1)} Example`,
  given_name: id[0].toUpperCase() + id.slice(1), family_name: 'Example', email: u.email, email_verified: !!u.email, groups: u.groups,
  realm_access: { roles: ['offline_access'] },
  resource_access: Object.fromEntries(Object.entries(u.roles ?? {}).map(([k, v]) => [k, { roles: v }])), ...u.raw }; };

// ---- keys ---------------------------------------------------------------------------------------------------
let serial = 0; let keys;
async function newKeys() {
  serial += 1; const out = [];
  for (const [alg, opt] of [['RS256', { modulusLength: 2048 }], ['ES256', {}], ['EdDSA', { crv: 'Ed25519' }]]) {
    const { privateKey } = await jose.generateKeyPair(alg, { ...opt, extractable: true });
    const jwk = await jose.exportJWK(privateKey); // alg left out of the RSA key, so that it signs PS256 too
    out.push({ ...jwk, kid: `${alg.toLowerCase()}-${serial}`, use: 'sig', ...(alg === 'RS256' ? {} : { alg }) });
  }
  return out;
}
const keep = () => { if (a.keys) fs.writeFileSync(a.keys, JSON.stringify({ serial, keys }), { mode: 0o600 }); };
if (a.keys && fs.existsSync(a.keys)) ({ serial, keys } = JSON.parse(fs.readFileSync(a.keys, 'utf8'))); else { keys = await newKeys(); keep(); }

// ---- clients -------------------------------------------------------------------------------------------------
const web = ['http://127.0.0.1:1/callback', ...a.redirect]; const left = []; // where logins and logouts may lead
const clients = [
  { client_id: 'm2m', client_secret: 'm2m-secret', grant_types: ['client_credentials'], redirect_uris: [], response_types: [] },
  { client_id: 'm2m-post', client_secret: 'm2m-secret', grant_types: ['client_credentials'], redirect_uris: [], response_types: [], token_endpoint_auth_method: 'client_secret_post' },
  { client_id: 'web', client_secret: 'web-secret', grant_types: ['authorization_code', 'refresh_token'], redirect_uris: web, post_logout_redirect_uris: left },
  // public; loopback redirect with any port (RFC 8252)
  { client_id: 'native', application_type: 'native', token_endpoint_auth_method: 'none', grant_types: ['authorization_code', 'refresh_token'], redirect_uris: ['http://127.0.0.1/callback', 'http://localhost/callback'] },
  { client_id: 'device', application_type: 'native', token_endpoint_auth_method: 'none', grant_types: ['urn:ietf:params:oauth:grant-type:device_code', 'refresh_token'], redirect_uris: [], response_types: [] },
  { client_id: 'rs', client_secret: 'rs-secret', grant_types: [], redirect_uris: [], response_types: [] }, // a resource server: introspection only
  ...(extra.clients ?? []).map((c) => (c.redirect_uris === 'web' ? { ...c, redirect_uris: web } : c))]; // 'web' = led back to where web is

// ---- provider (rebuilt on key rotation; the store survives) --------------------------------------------------
const store = new Map();
class Memory {
  constructor(name) { this.name = name; }
  k(id) { return `${this.name}:${id}`; }
  live(v) { if (v && v.exp && v.exp < Date.now() / 1000) return undefined; return v?.data; }
  async upsert(id, data, ttl) { store.set(this.k(id), { data, exp: ttl ? Date.now() / 1000 + ttl : 0 }); }
  async find(id) { return this.live(store.get(this.k(id))); }
  async findByUid(uid) { for (const [k, v] of store) if (k.startsWith(`${this.name}:`) && v.data.uid === uid) return this.live(v); return undefined; }
  async findByUserCode(c) { for (const [k, v] of store) if (k.startsWith(`${this.name}:`) && v.data.userCode === c) return this.live(v); return undefined; }
  async consume(id) { const v = store.get(this.k(id)); if (v) v.data.consumed = Math.floor(Date.now() / 1000); }
  async destroy(id) { store.delete(this.k(id)); }
  async revokeByGrantId(g) { for (const [k, v] of store) if (v.data.grantId === g) store.delete(k); }
}
const algs = { '': 'RS256', rs256: 'RS256', ps256: 'PS256', es256: 'ES256', eddsa: 'EdDSA' };
let issuer; let provider; let handler;
function build() {
  const p = new Provider(issuer, {
    adapter: Memory, clients, jwks: { keys }, pkce: { required: (ctx, c) => c.clientId !== 'web-nopkce' },
    cookies: { keys: ['testbed'] }, conformIdTokenClaims: false,
    scopes: ['openid', 'offline_access', 'profile', 'email', 'groups', 'roles', 'api:read', 'api:write'],
    claims: { openid: ['sub'], profile: ['name', 'given_name', 'family_name', 'preferred_username'], email: ['email', 'email_verified'], groups: ['groups'], roles: ['resource_access', 'realm_access'] },
    enabledJWA: { idTokenSigningAlgValues: ['RS256', 'PS256', 'ES256', 'EdDSA'] },
    ttl: { AccessToken: +a['access-ttl'], ClientCredentials: +a['access-ttl'], IdToken: 300, RefreshToken: 86400, Session: 3600, Grant: 86400, Interaction: 600, DeviceCode: 600 },
    features: {
      devInteractions: { enabled: false }, clientCredentials: { enabled: true }, introspection: { enabled: true, allowedPolicy: () => true },
      revocation: { enabled: true }, deviceFlow: { enabled: true },
      backchannelLogout: { enabled: true },
      resourceIndicators: { enabled: true, useGrantedResource: () => true,
        defaultResource: (ctx, client, oneOf) => oneOf ?? (extra.defaultResource || undefined),
        getResourceServerInfo: (ctx, r) => { // urn:testbed:api[:rs256|ps256|es256|eddsa] -> JWT; urn:testbed:opaque -> opaque; urn:testbed:aud:NAME -> JWT for NAME
          const alg = algs[r.split(':')[3] ?? ''];
          return { scope: 'api:read api:write', audience: r.replace(/^urn:testbed:aud:/, ''), accessTokenTTL: +a['access-ttl'],
            ...(r.startsWith('urn:testbed:opaque') ? { accessTokenFormat: 'opaque' } : { accessTokenFormat: 'jwt', jwt: { sign: { alg: alg ?? 'RS256' } } }) }; } } },
    extraTokenClaims: (ctx, token) => { const c = claimsOf(token.accountId ?? `service-account-${token.clientId}`); if (!c) return {}; const { sub, ...rest } = c; return { azp: token.clientId, ...rest }; },
    findAccount: (ctx, id) => (users[id] ? { accountId: id, claims: () => claimsOf(id) } : undefined),
    // consent is given without asking, for all that was requested
    loadExistingGrant: async (ctx) => {
      const g = new ctx.oidc.provider.Grant({ clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId });
      const scopes = [...ctx.oidc.requestParamScopes].join(' '); g.addOIDCScope(scopes);
      for (const r of Object.keys(ctx.oidc.resourceServers ?? {})) g.addResourceScope(r, scopes);
      await g.save(); return g; },
    interactions: { url: (ctx, i) => `${base}/interaction/${i.uid}` },
    renderError: (ctx, out) => { ctx.type = 'json'; ctx.body = out; } });
  p.on('server_error', (ctx, e) => console.error('server_error', e));
  for (const n of ['grant', 'authorization', 'introspection', 'revocation']) p.on(`${n}.error`, (ctx, e) => console.error(n, e.error, e.error_detail ?? e.error_description));
  if (server instanceof https.Server) p.proxy = false;
  provider = p; handler = p.callback();
}

// ---- http ----------------------------------------------------------------------------------------------------
const base = a.path.replace(/\/$/, ''); const faults = []; let stats = {};
const body = async (req) => { let s = ''; for await (const c of req) s += c; return s; };
const json = (res, code, v) => { const text = JSON.stringify(v); res.writeHead(code, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }); res.end(text); };
async function interaction(req, res) {
  const d = await provider.interactionDetails(req, res);
  if (d.prompt.name === 'consent') return provider.interactionFinished(req, res, { consent: {} }, { mergeWithLastSubmission: true }); // SSO session, native client or prompt=consent
  let login; let bad = '';
  if (req.method === 'POST') {
    const f = new URLSearchParams(await body(req)); const u = f.get('login');
    if (f.has('cancel')) return provider.interactionFinished(req, res, { error: 'access_denied', error_description: 'End-User aborted' }, { mergeWithLastSubmission: false });
    if (users[u] && !users[u].nologin && f.get('password') === `${u}-pw`) login = u; else bad = '<p id="error">wrong name or password</p>';
  } else if (req.headers['x-test-login'] && users[req.headers['x-test-login']]) login = req.headers['x-test-login']; // no form at all
  if (login) return provider.interactionFinished(req, res, { login: { accountId: login, amr: ['pwd'] }, consent: {} }, { mergeWithLastSubmission: false });
  res.writeHead(bad ? 401 : 200, { 'content-type': 'text/html; charset=utf-8' });
  return res.end(`<!doctype html><title>Sign in</title><h1>Sign in</h1>${bad}<form method="post"><label>Name <input name="login" autofocus></label> <label>Password <input name="password" type="password"></label> <button>Sign in</button><button name="cancel" value="1">Cancel</button></form>`);
}
const b64 = (o) => Buffer.from(JSON.stringify(o)).toString('base64url');
async function mint(q) { // forge: any claims, any of the ways a token goes wrong
  const now = Math.floor(Date.now() / 1000);
  const c = { iss: issuer, aud: 'urn:testbed:api', iat: now, nbf: now, exp: now + 300, jti: crypto.randomUUID(), ...claimsOf(q.user ?? 'alice'), ...q.claims };
  for (const k of q.drop ?? []) delete c[k];
  const alg = q.alg ?? 'RS256'; const kt = alg.startsWith('E') ? alg.toLowerCase() : 'rs256';
  const jwk = keys.find((k) => k.kid.startsWith(kt)); const h = { alg, kid: jwk?.kid, typ: 'at+jwt', ...q.header };
  for (const k of q.dropHeader ?? []) delete h[k];
  if (alg === 'none') return `${b64(h)}.${b64(c)}.`;
  if (alg === 'HS256') { // key confusion: HMAC with the RSA public key's PEM
    const pem = await jose.exportSPKI(await jose.importJWK({ ...pub(keys[0]), alg: 'RS256' }, 'RS256', { extractable: true }));
    return new jose.SignJWT(c).setProtectedHeader({ ...h, kid: keys[0].kid }).sign(Buffer.from(pem)); }
  const key = q.foreignKey ? (await jose.generateKeyPair(alg, {})).privateKey : await jose.importJWK({ ...jwk, alg }, alg);
  const t = await new jose.SignJWT(c).setProtectedHeader(h).sign(key, { crit: Object.fromEntries((h.crit ?? []).map((k) => [k, true])) });
  return q.tamper ? t.replace(/\.[^.]*\./, `.${b64({ ...c, ...q.tamper })}.`) : t;
}
const pub = ({ d, p, q, dp, dq, qi, ...r }) => r;
async function control(req, res, path) {
  const q = req.method === 'POST' ? JSON.parse((await body(req)) || '{}') : {};
  if (path === '/_test/rotate') { // {mode: add (new first, old stay) | replace (old gone) | publish (new last: not yet signing)}
    const n = await newKeys(); const m = q.mode ?? 'replace';
    keys = m === 'replace' ? n : m === 'publish' ? [...keys, ...n] : [...n, ...keys]; keep(); build(); return json(res, 200, { kids: keys.map((k) => k.kid) }); }
  if (path === '/_test/redirect') { web.push(...(q.uris ?? [])); left.push(...(q.post_logout ?? [])); build(); return json(res, 200, {}); }
  if (path === '/_test/fault') { faults.push({ path: q.path ?? '/jwks', count: q.count ?? 1, ...q }); return json(res, 200, { faults }); } // {path,status,delay_ms,body,count,hangup}
  if (path === '/_test/tls') { server.setSecureContext({ ...q, cert: fs.readFileSync(q.cert), key: fs.readFileSync(q.key) }); return json(res, 200, {}); }
  if (path === '/_test/reset') { faults.length = 0; stats = {}; return json(res, 200, {}); }
  if (path === '/_test/stats') return json(res, 200, stats);
  if (path === '/_test/token') return json(res, 200, { token: await mint(q) });
  return json(res, 404, { error: 'no such control' });
}
async function listener(req, res) {
  try {
    const path = new URL(req.url, 'http://x').pathname;
    if (path.startsWith('/_test/')) return await control(req, res, path);
    if (base && !path.startsWith(`${base}/`)) return json(res, 404, { error: 'not_found' });
    const rel = path.slice(base.length); const k = rel.replace(/^\/(interaction|auth)\/.*/, '/$1/*'); stats[k] = (stats[k] ?? 0) + 1;
    const f = faults.find((x) => rel === x.path && x.count > 0);
    if (f) { f.count -= 1; if (f.delay_ms) await new Promise((r) => setTimeout(r, f.delay_ms)); if (f.hangup) return req.socket.destroy();
      if (f.status || f.body !== undefined) { res.writeHead(f.status ?? 200, { 'content-type': 'application/json', ...f.headers }); return res.end(typeof f.body === 'string' ? f.body : JSON.stringify(f.body ?? {})); } }
    if (base) { req.originalUrl = req.url; req.url = req.url.slice(base.length); } // the provider is "mounted"
    if (rel.startsWith('/interaction/')) return await interaction(req, res);
    return await handler(req, res);
  } catch (e) { console.error(e); if (!res.headersSent) json(res, e.status ?? 500, { error: e.message }); else res.end(); }
}
// The control is plain http also where the provider is not, on a port of its own.
const open = a.cert ? http.createServer(listener).listen(0, '127.0.0.1') : undefined;
const server = a.cert ? https.createServer({ cert: fs.readFileSync(a.cert), key: fs.readFileSync(a.key) }, listener) : http.createServer(listener);
// A port that was ours before may be another's for a moment.
let patience = +a.port ? 100 : 0;
const listen = () => server.listen(+a.port, a.host);
server.on('error', (e) => { if (e.code !== 'EADDRINUSE' || !patience--) throw e; setTimeout(listen, 100); });
server.on('listening', () => {
  const { port } = server.address(); issuer = `${a.cert ? 'https' : 'http'}://${a.host.includes(':') ? `[${a.host}]` : a.host}:${port}${base}`; build();
  console.log(`OIDC_ISSUER=${issuer}\nOIDC_CONTROL=http://127.0.0.1:${open?.address().port ?? port}/_test\nOIDC_PORT=${port}\nOIDC_PID=${process.pid}`); });
listen();
const end = () => { open?.close(); open?.closeAllConnections(); server.close(() => process.exit(0)); server.closeAllConnections(); };
for (const s of ['SIGTERM', 'SIGINT']) process.on(s, end);
process.stdin.on('end', end).on('error', end).resume();
