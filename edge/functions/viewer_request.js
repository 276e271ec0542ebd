// Rewrites a viewer request to the path of a stored file. CloudFront runs this file unchanged (runtime
// cloudfront-js-2.0); the local edge runs it in QuickJS, and the tests also run it in njs.
//
// Steps: reject bad paths; pass hashed assets; read ONE routing document; choose the release (preview,
// maintenance, canary, live); rewrite as its site document says. Storage never sees a query string.
//
// A site document is part of the routing document (`d`) for the live release, and has a key of its own
// (`site:<release>`) for previews and canaries. edge/sites.py explains its fields. A release without one
// is laid out like our own pages.
import cf from 'cloudfront';
import crypto from 'crypto';

const kvs = cf.kvs();

// A surface, optionally of another environment: /track/..., /track-staging/..., /track.html
const SURFACE = /^\/(track|book|dashboard)(?:-([a-z0-9-]+))?(\.html)?(\/.*)?$/;
// A dot alone does not make a file: tokens and names have dots.
const FILE =
  /\.(html?|css|m?js|json|map|txt|xml|ico|svg|png|jpe?g|gif|webp|avif|woff2?|[ot]tf|pdf|webmanifest|wasm|mp[34]|webm|ics|csv|zip)$/i;
// Folders in which generators put nothing but files with hashed names.
const GENERATED = /^\/(?:_next\/static|_astro|_app\/immutable)\/./;
// Names with a hash: 8 hex digits or more that are not a date, or 8 characters that are not a lower-case word.
const HASHED =
  /[.\/_-](?!(?:19|20)\d{6}[.-])(?=[a-f]*\d)[\da-f]{8,64}[.-]|[.-](?!(?:19|20)\d{6}\.)(?=[\w-]*[A-Z\d])[\w-]{8}\./;
// Most paths are plain: one check instead of three.
const PLAIN = /^(?:\/[\w-][\w.-]*)*\/?$/;
const CONTROL = /[\x00-\x1f\x7f]/;
const TICKET = /^([\w-]+)\.(\d{1,12})\.([\w-]+)$/; // <release>.<expiry, unix seconds>.<signature>
const NO_STORE = { 'cache-control': { value: 'no-store' } };
const UNAVAILABLE = '<!doctype html><html lang="en"><meta charset="utf-8"><title>Back soon</title>' +
  '<meta name="viewport" content="width=device-width,initial-scale=1">' +
  '<body style="font:1.1rem/1.5 system-ui;max-width:32rem;margin:15vh auto;padding:0 1rem">' +
  '<h1>Back soon</h1><p>';
const PATIENCE = 'Your booking is safe. Please try again in a few minutes.';

async function handler(event) {
  const request = event.request;
  const uri = request.uri;
  if (!acceptable(uri)) {
    return reply(400, 'text/plain', 'Bad request: invalid path.\n', {});
  }
  if (uri.startsWith('/assets/') || uri.startsWith('/static/') ? hashed(uri) : uri[1] === '_' && GENERATED.test(uri)) {
    return stored(request, shared(uri));
  }
  const host = request.headers.host ? request.headers.host.value.toLowerCase() : '';
  const port = host.lastIndexOf(':');
  const name = port > host.lastIndexOf(']') ? host.slice(0, port) : host;
  let surface = surfaceOf(uri);
  let routing = surface && surface.env && await read('env:' + surface.env, 'json');
  if (!routing) {
    surface = surface && surface.env ? null : surface; // an ordinary page such as /book-club/
    routing = await read('host:' + name, 'json');
  }
  if (!routing || typeof routing.r !== 'string') {
    return unavailable('');
  }
  if (routing.u && routing.u !== name && !(surface && surface.env)) {
    return redirect(301, '//' + routing.u + host.slice(name.length) + uri, request.querystring);
  }
  const asked = request.querystring.release;
  if (asked) {
    const seconds = asked.value === 'live' ? 0 : await ticketSeconds(routing.e, asked.value);
    if (seconds > 0 || asked.value === 'live') {
      return preview(request, asked.value, seconds);
    }
  }
  let release = routing.m ? '' : routing.c ? side(routing, event.viewer.ip) : routing.r;
  const kept = request.cookies.qdn_release;
  if (kept && await ticketSeconds(routing.e, kept.value) > 0) {
    release = kept.value.split('.')[0];
  } else if (routing.a && !allowed(routing.a, request.headers.authorization)) {
    const challenge = { 'www-authenticate': { value: 'Basic realm="' + routing.e + '", charset="UTF-8"' } };
    return reply(401, 'text/plain', 'These pages are not public.\n', routing.a[1] ? challenge : {});
  }
  if (!release) {
    return unavailable(routing.m && routing.t);
  }
  const plain = routing.c && routing.c.r === release && !routing.c.d;
  const site = release === routing.r ? routing.d : plain ? null : await read('site:' + release, 'json');
  const root = '/releases/' + release;
  if (!site || site.o) {
    const target = oldLink(surface, request.querystring);
    if (target) {
      return redirect(301, target, {});
    }
    const own = surface && ownPage(surface, root, request.headers);
    if (own) {
      return stored(request, own);
    }
  }
  if (site) {
    return foreign(request, site, release, root);
  }
  if (uri.startsWith('/assets/')) {
    return stored(request, uri);
  }
  return stored(request, root + (isFile(uri) ? uri : slashed(uri) + 'index.html'));
}

function stored(request, key) {
  request.uri = key;
  request.querystring = {};
  return request;
}

function hashed(uri) {
  return HASHED.test(uri.slice(uri.lastIndexOf('/')));
}

// Releases share files with hashed names, so an open page finds its scripts after a switch.
function shared(uri) {
  return uri.startsWith('/assets/') ? uri : '/assets' + uri;
}

function isFile(uri) {
  return FILE.test(uri) || uri.startsWith('/.well-known/') && !uri.endsWith('/');
}

function slashed(uri) {
  return uri.endsWith('/') ? uri : uri + '/';
}

// A release with a site document: shared files, files, rules, the fallback, slashes, pages.
function foreign(request, site, release, root) {
  const uri = request.uri;
  if (site.i && hashed(uri) && site.i.some(function (prefix) { return uri.startsWith(prefix); })) {
    return stored(request, shared(uri));
  }
  const ending = site.x || site.q ? '|' + uri.slice(uri.lastIndexOf('.') + 1).toLowerCase() + '|' : '';
  const file = isFile(uri) || site.x && site.x.includes(ending);
  // Folders with rules, except for pages known to have none.
  const wanted = (!site.g || site.g.includes('|' + uri.split('/', 2)[1] + '|')) &&
    !(site.k && site.k.includes('|' + bucket(uri, 1e5) + '|'));
  if ((site.t || site.w) && wanted && (!file || site.q && site.q.includes(ending))) {
    return ruled(request, site, release, root, file);
  }
  return found(request, site, root, file);
}

function found(request, site, root, file) {
  const uri = request.uri;
  if (file || site.f) {
    return stored(request, root + (file ? uri : site.f));
  }
  const ends = uri.endsWith('/');
  if (site.s === 'a' && !ends) {
    return redirect(308, uri + '/', request.querystring);
  }
  if (site.s === 'r' && ends && uri !== '/') {
    return redirect(308, uri.slice(0, -1), request.querystring);
  }
  return stored(request, root + (site.h && !ends ? uri + '.html' : slashed(uri) + 'index.html'));
}

// Rules are spread over keys, of which this reads one for exact paths and one for prefixes. A value has a line
// for each rule: path, status, target.
async function ruled(request, site, release, root, file) {
  const uri = request.uri;
  const path = decodeURIComponent(uri);
  const plain = path.endsWith('/') && path !== '/' ? path.slice(0, -1) : path;
  if (site.t) {
    const rules = await read('rule:' + release + ':' + bucket(plain, site.t), 'string') || '';
    const start = rules.indexOf('\n' + plain + '\t') + 1;
    const rule = start && rules.slice(start, rules.indexOf('\n', start)).split('\t');
    if (rule && (rule[1] < '3' || decodeURI(rule[2]) !== path)) { // `/about` may redirect to `/about/`
      return carriedOut(request, rule[1], rule[2], root);
    }
  }
  const first = slashed(path).split('/', 2)[1];
  const rules = site.w ? await read('splat:' + release + ':' + bucket(first, site.w), 'string') || '' : '';
  const prefixes = rules ? rules.split('\n') : [];
  for (let i = 0; i < prefixes.length; i++) {
    const rule = prefixes[i].split('\t');
    if (rule[0] && slashed(path).startsWith(rule[0])) {
      const target = rule[2].replace(':splat', encodeURI(path.slice(rule[0].length)));
      return carriedOut(request, rule[1], target, root);
    }
  }
  return found(request, site, root, file);
}

function carriedOut(request, status, target, root) {
  if (status[0] === '3') {
    return redirect(Number(status), target, request.querystring);
  }
  return stored(request, root + (status === '404' ? '/404' : target));
}

function bucket(text, count) {
  var hash = 5381;
  var i = text.length;
  while (i--) {
    hash = hash * 33 + text.charCodeAt(i) | 0;
  }
  return (hash >>> 0) % count;
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
    const plain = decodeURIComponent(uri);
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

// null if the key does not exist or its value has another format.
async function read(key, format) {
  try {
    return await kvs.get(key, { format: format });
  } catch (missing) {
    return null;
  }
}

// Seconds until a signed preview expires; 0 if it is expired, forged or for another environment.
async function ticketSeconds(environment, ticket) {
  const part = TICKET.exec(ticket);
  const left = part ? Number(part[2]) - Math.floor(Date.now() / 1000) : 0;
  const secret = left > 0 && await read('preview', 'string');
  if (!secret) {
    return 0;
  }
  const signed = environment + '.' + part[1] + '.' + part[2];
  const expected = crypto.createHmac('sha256', secret).update(signed).digest('base64url');
  return same(expected, part[3]) ? left : 0;
}

// `access` is <salt>.<SHA-256 of salt and credentials, base64url>, or '-': only previews are let in.
function allowed(access, header) {
  const part = access.split('.');
  const given = part[0] + (header ? header.value.slice(6) : '');
  return part.length > 1 && same(crypto.createHash('sha256').update(given).digest('base64url'), part[1]);
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

// The key of a surface's page or of a job's document, or '' below them.
function ownPage(surface, root, headers) {
  const rest = surface.name === 'track' ? surface.rest.slice(1) : '';
  const token = rest.endsWith('/') ? rest.slice(0, -1) : rest;
  if (rest.length > 5 && rest.endsWith('.json') && !rest.includes('/')) {
    const secret = decodeURIComponent(rest.slice(0, -5));
    return '/jobs/' + crypto.createHash('sha256').update(secret).digest('hex') + '.json';
  }
  if (token && !token.includes('/')) {
    headers['x-tracking-token'] = { value: token };
  }
  return token.includes('/') ? '' : root + '/' + surface.name + '/index.html';
}

// Starts a preview, or ends it with 0 seconds. The ticket cookie is HttpOnly so that no script can leak it.
// Pages use the second cookie to show a banner; this function never trusts it.
function preview(request, ticket, seconds) {
  const attributes = 'Path=/; Max-Age=' + seconds + '; Secure; SameSite=Lax';
  const answer = redirect(302, request.uri, request.querystring);
  answer.cookies = {
    qdn_release: { value: ticket, attributes: attributes + '; HttpOnly' },
    qdn_preview: { value: ticket.split('.')[0], attributes: attributes },
  };
  answer.headers['x-robots-tag'] = { value: 'noindex, nofollow' };
  return answer;
}

// Adds the query, unless the location has one. Its values arrive as the viewer encoded them; unprintable
// characters could end the header.
function redirect(status, location, query) {
  const pairs = [];
  for (const name in query) {
    const values = name === 'release' ? [] : query[name].multiValue || [query[name]];
    for (let i = 0; i < values.length; i++) {
      pairs.push(name + '=' + values[i].value);
    }
  }
  const whole = location + (pairs.length && !/[?#]/.test(location) ? '?' + pairs.join('&') : '');
  const safe = whole.replace(/[^\x21-\x7e]+/g, encodeURIComponent);
  return { statusCode: status, headers: Object.assign({ location: { value: safe } }, NO_STORE), cookies: {} };
}

function unavailable(message) {
  const text = String(message || PATIENCE).replace(/[&<>]/g, function (sign) {
    return '&#' + sign.charCodeAt(0) + ';';
  });
  const later = { 'retry-after': { value: '120' } };
  return reply(503, 'text/html; charset=utf-8', UNAVAILABLE + text + '</p></html>', later);
}

function reply(status, type, body, more) {
  const headers = Object.assign({ 'content-type': { value: type } }, NO_STORE, more);
  return { statusCode: status, headers: headers, body: body };
}
