// The environment of a function in QuickJS: the modules of CloudFront's runtime and the interface to Python.
//
// QuickJS cannot call Python while a time limit is set, so nothing here calls out. When the function asks
// for a key's value or a digest, it is looked up in the answers so far. If it is missing, the question is
// recorded, the run is abandoned, and Python runs the function again with the answer in place. That is
// safe because a run depends only on its event, the frozen clock and the answers.
(function (global) {
  'use strict';
  var values = new Map(); // of the key-value store: valid until the store changes
  var parsed = new Map(); // the values that were read as JSON, parsed
  var digests = new Map(); // these never change
  // Viewers choose keys and texts, so all answers are dropped when they take too much of the memory.
  var MOST_KEPT = 512 * 1024; // characters
  var PER_ANSWER = 300; // what a Map's entry takes besides
  var kept = 0;
  var wanted = [];
  var logs = [];
  var before = null; // original values of the headers that were read
  var count = 0; // number of original headers, once all were read
  var head = ''; // the original headers: '\n', then name, '\0', value, '\n' for each
  var seen = null; // the object behind the proxy of the headers
  var headersGiven = null; // the proxy itself
  var whole = true; // whether all headers have been turned into objects
  var now = 0;
  var handler = null;

  function ask(answers, key, question) {
    var answer = answers.get(key);
    if (answer === undefined) wanted.push(question || key.split('\0'));
    return answer;
  }

  // A new promise each time: a shared one would keep a reference to everything that ever awaited it.
  function never() { return new Promise(function () {}); }

  // ---- cloudfront ----
  // join, not +: + builds a rope for long strings, which a Map does not find.
  function nameOf(key) { return ['get', key].join('\0'); }
  function get(key, options) {
    var format = options && options.format || 'string';
    var value;
    if (format !== 'string' && format !== 'json') {
      throw new TypeError('the local runtime supports the formats string and json, found: ' + format);
    }
    value = ask(values, nameOf(key));
    if (value === undefined) return never();
    if (value === null) return Promise.reject(new Error('KeyNotFound: no such key: ' + key));
    if (format === 'string') return Promise.resolve(value);
    try {
      return Promise.resolve(asJson(key, value));
    } catch (error) {
      return Promise.reject(error);
    }
  }
  // Parsed once and frozen, so that no run sees changes made by another.
  function asJson(key, value) {
    var found = parsed.get(key);
    if (found === undefined) {
      found = JSON.parse(value, function (name, part) { return Object.freeze(part); });
      parsed.set(key, found);
    }
    return found;
  }
  function exists(key) {
    var value = ask(values, nameOf(key));
    return value === undefined ? never() : Promise.resolve(value !== null);
  }
  function meta() {
    var value = ask(values, 'meta');
    return value === undefined ? never() : Promise.resolve(JSON.parse(value));
  }
  var cloudfront = { kvs: function () { return { get: get, exists: exists, meta: meta }; } };

  // ---- crypto ----
  function hash(algorithm, secret) {
    var text = '';
    var done = false;
    if (['md5', 'sha1', 'sha256'].indexOf(algorithm) < 0) {
      throw new TypeError('not supported algorithm: "' + algorithm + '"');
    }
    return {
      update: function (data) {
        if (done) throw new Error('Digest already called');
        if (typeof data !== 'string') throw new TypeError('data must be a string in the local runtime');
        text += data;
        return this;
      },
      digest: function (encoding) {
        if (done) throw new Error('Digest already called');
        if (['hex', 'base64', 'base64url'].indexOf(encoding) < 0) {
          throw new TypeError('Unknown digest encoding: "' + encoding + '"');
        }
        done = true;
        var question = ['digest', algorithm, encoding, secret === null ? 'plain' : 'keyed', secret || '', text];
        var answer = ask(digests, question.join('\0'), question);
        if (answer === undefined) throw new Error('the digest is not available yet: the run starts again');
        return answer;
      },
    };
  }
  var crypto = {
    createHash: function (algorithm) { return hash(algorithm, null); },
    createHmac: function (algorithm, secret) { return hash(algorithm, String(secret)); },
  };

  // ---- other globals of the runtime, present and removed ----
  function note(value) {
    if (logs.length < 100) logs.push(typeof value === 'string' ? value : JSON.stringify(value));
  }
  var RealDate = Date;
  class FrozenDate extends RealDate {
    constructor() {
      if (arguments.length) super(...arguments);
      else super(now);
    }
    static now() { return now; }
  }
  global.Date = FrozenDate;
  global.console = { log: note, error: note };
  global.eval = undefined;

  // ---- the interface to Python ----
  // Headers become objects when they are read: a browser sends a dozen and the function reads one. Any
  // operation that needs all of them, such as a loop, creates them all.
  function look(name) {
    var at = head.indexOf('\n' + name + '\0');
    if (at < 0) return undefined;
    at += name.length + 2;
    return head.slice(at, head.indexOf('\n', at));
  }
  function makeWhole() {
    if (whole) return;
    whole = true;
    head.slice(1, -1).split('\n').forEach(function (line) {
      var parts = line.split('\0');
      if (parts.length < 2) return;
      count++;
      if (before[parts[0]] !== undefined) return;
      before[parts[0]] = parts[1];
      if (!Object.hasOwn(seen, parts[0])) seen[parts[0]] = { value: parts[1] };
    });
  }
  function whenWhole(operation) {
    return function (target, name, third) {
      makeWhole();
      return operation(target, name, third);
    };
  }
  var lazily = {
    get: function (target, name) {
      var value;
      if (whole || typeof name !== 'string' || Object.hasOwn(target, name)) return target[name];
      value = look(name);
      if (value === undefined) return target[name];
      before[name] = value;
      return target[name] = { value: value };
    },
    set: function (target, name, entry) {
      if (!whole && before[name] === undefined) before[name] = look(name);
      target[name] = entry;
      return true;
    },
    has: whenWhole(Reflect.has),
    ownKeys: whenWhole(Reflect.ownKeys),
    deleteProperty: whenWhole(Reflect.deleteProperty),
    defineProperty: whenWhole(Reflect.defineProperty),
    getOwnPropertyDescriptor: whenWhole(Reflect.getOwnPropertyDescriptor),
  };

  // Returns a request as lines: its URI, then the headers that changed. Writing JSON would take longer
  // than the function itself; it is used only for changes that do not fit into lines.
  function changes(request) {
    var headers = request.headers || {};
    var lines = '';
    var kept = 0;
    var plain = true;
    var name, entry;
    if (headers === headersGiven) headers = seen;
    else makeWhole();
    for (name in headers) {
      entry = headers[name];
      if (before[name] !== undefined) kept++;
      if (!entry || typeof entry.value !== 'string' || entry.multiValue) plain = false;
      else if (entry.value !== before[name]) {
        lines += '\n' + name + '\n' + entry.value;
        plain = plain && !entry.value.includes('\n');
      }
    }
    for (name in request.querystring) plain = false;
    for (name in request.cookies) plain = false;
    plain = plain && (!whole || kept === count); // unless all were read, none was deleted
    return plain ? lines : '\n' + JSON.stringify(allChanges(request, headers));
  }
  function allChanges(request, headers) {
    var diff = {};
    for (var name in headers) {
      var entry = headers[name];
      var same = entry && typeof entry.value === 'string' && entry.value === before[name];
      if (!same || entry.multiValue) diff[name] = entry === undefined ? null : entry;
    }
    for (var gone in before) if (!(gone in headers)) diff[gone] = null;
    return { headers: diff, querystring: request.querystring, cookies: request.cookies };
  }
  function describe(value) {
    if (value === null || typeof value !== 'object') return JSON.stringify({ invalid: String(value) });
    if ('statusCode' in value) return JSON.stringify({ response: value });
    if (typeof value.uri !== 'string' || value.uri[0] !== '/' || value.uri.includes('\n')) {
      return JSON.stringify({ invalid: 'a request whose uri is ' + value.uri });
    }
    // join, not +: + builds a rope for long strings, which the Python side cannot read.
    return [value.uri, changes(value)].join('');
  }
  function settle(value) {
    global.__outcome = wanted.length ? JSON.stringify({ wanted: wanted }) : describe(value);
  }
  function fail(error) {
    var text = String(error && error.stack ? error + '\n' + error.stack : error);
    global.__outcome = JSON.stringify(wanted.length ? { wanted: wanted } : { error: text });
  }
  function run(event) {
    try {
      var result = handler(event);
      if (result && typeof result.then === 'function') result.then(settle, fail);
      else settle(result);
    } catch (error) {
      fail(error);
    }
  }
  function prepare(milliseconds) {
    now = milliseconds;
    before = {};
    count = 0;
    whole = true;
    headersGiven = null;
    global.__outcome = '';
    if (wanted.length) wanted = [];
    if (logs.length) logs = [];
    if (kept > MOST_KEPT) forget();
  }
  function forget() {
    values.clear();
    parsed.clear();
    digests.clear();
    kept = 0;
  }

  global.__load = function (make) {
    handler = make({ cloudfront: cloudfront, crypto: crypto });
    if (typeof handler !== 'function') throw new SyntaxError('the source defines no function named handler');
  };
  // __outcome is '' until the function settles.
  global.__outcome = '';
  global.__event = function (text, milliseconds) {
    prepare(milliseconds);
    var event = JSON.parse(text);
    var headers = event.request.headers;
    for (var name in headers) {
      before[name] = headers[name].value;
      count++;
    }
    run(event);
  };
  // Like __event but without JSON, for the requests of the local edge: twice as fast.
  global.__request = function (milliseconds, id, ip, method, uri, lines, query, cookies) {
    prepare(milliseconds);
    head = lines;
    whole = false;
    seen = {};
    headersGiven = new Proxy(seen, lazily);
    run({
      version: '1.0',
      context: {
        distributionDomainName: 'local', distributionId: 'LOCAL', eventType: 'viewer-request', requestId: id,
      },
      viewer: { ip: ip },
      request: {
        method: method,
        uri: uri,
        querystring: query ? JSON.parse(query) : {},
        headers: headersGiven,
        cookies: cookies ? JSON.parse(cookies) : {},
      },
    });
  };
  // The questions of a function that has not settled, or '' if it has none and never will settle.
  global.__wanted = function () { return wanted.length ? JSON.stringify({ wanted: wanted }) : ''; };
  global.__answer = function (question, value) {
    kept += PER_ANSWER + question.length + (value ? value.length : 0);
    (question.startsWith('digest') ? digests : values).set(question, value);
  };
  global.__logs = function () { return JSON.stringify(logs); };
  global.__forget = function () { values.clear(); parsed.clear(); };
})(globalThis);
