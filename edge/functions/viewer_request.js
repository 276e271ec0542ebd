// Rewrites a viewer request to the path of a stored file. CloudFront runs this file unchanged (runtime
// cloudfront-js-2.0); the local edge runs it in QuickJS, and the tests also run it in njs.
//
// Steps: reject bad paths; pass paths outside releases; redirect old links; read ONE routing document;
// choose the release (preview, maintenance, canary, live); rewrite. Storage never sees a query string.
import cf from 'cloudfront';
import crypto from 'crypto';

const kvs = cf.kvs();

// A surface, optionally of another environment: /track/..., /track-staging/..., /track.html
const SURFACE = /^\/(track|book|dashboard)(?:-([a-z0-9-]+))?(\.html)?(\/.*)?$/;
// A dot alone does not make a file: tokens and names have dots.
const FILE =
  /\.(html?|css|m?js|json|map|txt|xml|ico|svg|png|jpe?g|gif|webp|avif|woff2?|[ot]tf|pdf|webmanifest|wasm|mp[34]|webm|ics|csv|zip)$/i;
// Most paths are plain: one check instead of three.
const PLAIN = /^(?:\/[\w-][\w.-]*)*\/?$/;
const CONTROL = /[\x00-\x1f\x7f]/;
const TICKET = /^([\w-]+)\.(\d{1,12})\.([\w-]+)$/; // <release>.<expiry, unix seconds>.<signature>
const TICKET_COOKIE = 'qdn_release';
const NAME_COOKIE = 'qdn_preview';
const NO_STORE = { 'cache-control': { value: 'no-store' } };
const UNAVAILABLE = '<!doctype html><html lang="en"><meta charset="utf-8"><title>Back soon</title>' +
  '<meta name="viewport" content="width=device-width,initial-scale=1">' +
  '<body style="font:1.1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:15vh auto;padding:0 1rem">' +
  '<h1>Back soon</h1><p>';
const PATIENCE = 'Your booking is safe. Please try again in a few minutes.';

async function handler(event) {
  const request = event.request;
  const uri = request.uri;
  if (!acceptable(uri)) {
    return reply(400, 'Bad Request', 'text/plain', 'Bad request: invalid path.\n', {});
  }
  if (uri.startsWith('/assets/') || uri.startsWith('/.well-known/')) {
    request.querystring = {};
    return request;
  }
  let surface = surfaceOf(uri);
  const target = oldLink(surface, request.querystring);
  if (target) {
    return redirect(301, 'Moved Permanently', target, {});
  }
  let routing = await readRouting(surface, request.headers);
  if (!routing && surface && surface.env) {
    surface = null; // not an environment, so an ordinary page such as /book-club/
    routing = await readRouting(surface, request.headers);
  }
  if (!routing || typeof routing.r !== 'string') {
    return unavailable('');
  }
  const asked = request.querystring.release;
  if (asked) {
    const seconds = asked.value === 'live' ? 0 : await ticketSeconds(routing.e, asked.value);
    if (seconds > 0 || asked.value === 'live') {
      return preview(withoutRelease(uri, request.querystring), asked.value, seconds);
    }
  }
  let release = routing.m ? '' : routing.c ? side(routing, event.viewer.ip) : routing.r;
  const kept = request.cookies[TICKET_COOKIE];
  if (kept && await ticketSeconds(routing.e, kept.value) > 0) {
    release = kept.value.split('.')[0];
  }
  if (!release) {
    return unavailable(routing.m && routing.t);
  }
  request.uri = rewritten(uri, surface, release, request.headers);
  request.querystring = {};
  return request;
}

// Storage may read dot segments, encoded slashes and control characters as another path than we do; a
// double slash in a redirect would read as a host; non-ASCII characters must arrive percent-encoded.
function acceptable(uri) {
  if (uri && PLAIN.test(uri)) {
    return true;
  }
  if (!/^\/[\x21-\x7e]*$/.test(uri) || /\/\/|\\|%2f|%5c/i.test(uri)) {
    return false;
  }
  try {
    const plain = uri.includes('%') ? decodeURIComponent(uri) : uri;
    return !CONTROL.test(plain) && !/\/\.\.?(\/|$)/.test(plain);
  } catch (malformed) {
    return false;
  }
}

// {name, env, rest}: rest is the part after the name, '' or '/...'. Only track ever had .html links.
function surfaceOf(uri) {
  const found = SURFACE.exec(uri);
  if (!found || (found[3] && (found[1] !== 'track' || found[4]))) {
    return null;
  }
  return { name: found[1], env: found[2] || '', rest: found[4] || '' };
}

// Old forms: /track.html?token=T, /track?token=T, /track/?t=T, and the same for /track-<env>.
function oldLink(surface, query) {
  const given = query.token || query.t;
  if (!given || !surface || surface.name !== 'track' || surface.rest.length > 1) {
    return '';
  }
  try {
    const token = decodeURIComponent(given.value);
    if (!token || /[\/\\]|^\.\.?$/.test(token) || CONTROL.test(token)) {
      return '';
    }
    return '/track' + (surface.env && '-' + surface.env) + '/' + encodeURIComponent(token);
  } catch (malformed) {
    return '';
  }
}

function routingKey(surface, headers) {
  if (surface && surface.env) {
    return 'env:' + surface.env;
  }
  const host = headers.host ? headers.host.value.toLowerCase() : '';
  const port = host.lastIndexOf(':');
  return 'host:' + (port > host.lastIndexOf(']') ? host.slice(0, port) : host);
}

// null if the key does not exist or its value is not JSON.
async function readRouting(surface, headers) {
  try {
    return await kvs.get(routingKey(surface, headers), { format: 'json' });
  } catch (missing) {
    return null;
  }
}

// Seconds until a signed preview expires; 0 if it is expired, forged or for another environment.
async function ticketSeconds(environment, ticket) {
  const part = TICKET.exec(ticket);
  const left = part ? Number(part[2]) - Math.floor(Date.now() / 1000) : 0;
  if (left <= 0) {
    return 0;
  }
  try {
    const secret = await kvs.get('preview', { format: 'string' });
    const signed = environment + '.' + part[1] + '.' + part[2];
    const expected = crypto.createHmac('sha256', secret).update(signed).digest('base64url');
    return secret && same(expected, part[3]) ? left : 0;
  } catch (missing) {
    return 0;
  }
}

// Compares in constant time.
function same(a, b) {
  let differs = a.length ^ b.length;
  for (let i = 0; i < a.length; i++) {
    differs |= a.charCodeAt(i) ^ b.charCodeAt(i % (b.length || 1));
  }
  return differs === 0;
}

// The release for a viewer. Salt and IP address hash to a fixed number in 0..100; a canary serves viewers
// below its percentage, so those who saw it at 5% still see it at 20%. The hash mixes four characters per
// step and ends like MurmurHash3, so neighboring addresses are unrelated; its factors keep products exact.
// A digest would cost more than all the rest, and `let` a check per use.
function side(routing, ip) {
  const canary = routing.c;
  var hash = parseInt(canary.s, 36);
  var end = ip.length;
  var i = 0;
  while (i < end) {
    hash ^= ip.charCodeAt(i++) ^ ip.charCodeAt(i++) << 8 ^ ip.charCodeAt(i++) << 16 ^ ip.charCodeAt(i++) << 24;
    hash = hash * 1540483 | 0;
    hash ^= hash >>> 15;
  }
  hash = hash * 1540483 | 0;
  hash = (hash ^ hash >>> 13) * 1000003 | 0;
  const number = (hash ^ hash >>> 16) >>> 0;
  return number / 0x100000000 * 100 < canary.pct ? canary.r : routing.r;
}

function rewritten(uri, surface, release, headers) {
  const root = '/releases/' + release;
  if (surface) {
    const rest = surface.name === 'track' ? surface.rest.slice(1) : '';
    const token = rest.endsWith('/') ? rest.slice(0, -1) : rest;
    if (rest.length > 5 && rest.endsWith('.json') && !rest.includes('/')) {
      const secret = decodeURIComponent(rest.slice(0, -5));
      return '/jobs/' + crypto.createHash('sha256').update(secret).digest('hex') + '.json';
    }
    if (token && !token.includes('/')) {
      headers['x-tracking-token'] = { value: token };
    }
    if (!token.includes('/')) {
      return root + '/' + surface.name + '/index.html';
    }
  }
  if (FILE.test(uri)) {
    return root + uri;
  }
  return root + (uri.endsWith('/') ? uri : uri + '/') + 'index.html';
}

function withoutRelease(uri, query) {
  const pairs = [];
  for (const name in query) {
    const values = name === 'release' ? [] : query[name].multiValue || [query[name]];
    for (let i = 0; i < values.length; i++) {
      pairs.push(name + '=' + values[i].value);
    }
  }
  return uri + (pairs.length ? '?' + pairs.join('&') : '');
}

// Starts a preview, or ends it with 0 seconds. The ticket cookie is HttpOnly so that no script can leak it.
// Pages use the second cookie to show a banner; this function never trusts it.
function preview(location, ticket, seconds) {
  const attributes = 'Path=/; Max-Age=' + seconds + '; Secure; SameSite=Lax';
  const cookies = {};
  cookies[TICKET_COOKIE] = { value: ticket, attributes: attributes + '; HttpOnly' };
  cookies[NAME_COOKIE] = { value: ticket.split('.')[0], attributes: attributes };
  const answer = redirect(302, 'Found', location, cookies);
  answer.headers['x-robots-tag'] = { value: 'noindex, nofollow' };
  return answer;
}

// Query values arrive as the viewer encoded them; unprintable characters could end the header.
function redirect(status, text, location, cookies) {
  const safe = location.replace(/[^\x21-\x7e]+/g, encodeURIComponent);
  const headers = Object.assign({ location: { value: safe } }, NO_STORE);
  return { statusCode: status, statusDescription: text, headers: headers, cookies: cookies };
}

function unavailable(message) {
  const text = String(message || PATIENCE).replace(/[&<>]/g, function (sign) {
    return '&#' + sign.charCodeAt(0) + ';';
  });
  const later = { 'retry-after': { value: '120' } };
  return reply(503, 'Service Unavailable', 'text/html; charset=utf-8', UNAVAILABLE + text + '</p></html>', later);
}

function reply(status, text, type, body, more) {
  const headers = Object.assign({ 'content-type': { value: type } }, NO_STORE, more);
  return { statusCode: status, statusDescription: text, headers: headers, body: body };
}
