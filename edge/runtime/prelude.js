// What stands around a function in QuickJS: the modules of CloudFront's runtime, and the door to Python.
//
// QuickJS cannot call Python while a time limit is set, so nothing here calls out. What the function
// wants to know (a key's value, a digest) is looked up among the answers; when one is not there, the
// question is noted, the run is given up, and Python starts it again with the answer in place. That
// holds because a run depends on nothing but its event, the frozen clock and the answers.
(function (global) {
  'use strict';
  var lasting = new Map(); // of the key-value store: good until the store changes
  var passing = new Map(); // of this run alone: digests of tokens must not outlive the request
  var wanted = [];
  var logs = [];
  var outcome = '';
  var event = null;
  var before = null;
  var now = 0;
  var handler = null;

  function ask(answers, key, question) {
    var answer = answers.get(key);
    if (answer === undefined) wanted.push(question || key.split('\0'));
    return answer;
  }

  // A new one each time: a promise keeps everything that ever waited for it.
  function never() { return new Promise(function () {}); }

  // ---- cloudfront ----
  function get(key, options) {
    var format = options && options.format || 'string';
    var value;
    if (format !== 'string' && format !== 'json') {
      throw new TypeError('the local runtime knows the formats string and json, found: ' + format);
    }
    value = ask(lasting, 'get\0' + key);
    if (value === undefined) return never();
    if (value === null) return Promise.reject(new Error('KeyNotFound: no such key: ' + key));
    if (format === 'string') return Promise.resolve(value);
    try {
      return Promise.resolve(JSON.parse(value));
    } catch (error) {
      return Promise.reject(error);
    }
  }
  function exists(key) {
    var value = ask(lasting, 'get\0' + key);
    return value === undefined ? never() : Promise.resolve(value !== null);
  }
  function meta() {
    var value = ask(lasting, 'meta');
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
        var answer = ask(passing, question.join('\0'), question);
        if (answer === undefined) throw new Error('the digest is not there yet: the run starts again');
        return answer;
      },
    };
  }
  var crypto = {
    createHash: function (algorithm) { return hash(algorithm, null); },
    createHmac: function (algorithm, secret) { return hash(algorithm, String(secret)); },
  };

  // ---- what else the runtime has, and has not ----
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

  // ---- the door ----
  // A request goes back as its URI, a line feed and what else changed: writing the whole request
  // as JSON would take longer than the function itself.
  function changes(request) {
    var headers = request.headers || {};
    var diff = {};
    var any = false;
    var name, entry;
    for (name in headers) {
      entry = headers[name];
      if (!entry || entry.value !== before[name] || entry.multiValue) { diff[name] = entry; any = true; }
    }
    for (name in before) {
      if (!(name in headers)) { diff[name] = null; any = true; }
    }
    var rest = any ? '{"headers":' + JSON.stringify(diff) : '{"headers":{}';
    for (name in request.querystring) { rest += ',"querystring":' + JSON.stringify(request.querystring); break; }
    for (name in request.cookies) { rest += ',"cookies":' + JSON.stringify(request.cookies); break; }
    return rest + ',"method":"' + request.method + '"}';
  }
  function settle(value) {
    if (value === null || typeof value !== 'object') outcome = JSON.stringify({ invalid: String(value) });
    else if ('statusCode' in value) outcome = JSON.stringify({ response: value });
    else if (typeof value.uri !== 'string' || value.uri[0] !== '/' || value.uri.includes('\n')) {
      outcome = JSON.stringify({ invalid: 'a request whose uri is ' + value.uri });
    } else outcome = value.uri + '\n' + changes(value);
  }
  function fail(error) {
    outcome = JSON.stringify({ error: String(error && error.stack ? error + '\n' + error.stack : error) });
  }
  function run() {
    wanted = [];
    logs = [];
    outcome = '';
    before = {};
    var request = event.request;
    for (var name in request.headers) before[name] = request.headers[name].value;
    try {
      var result = handler(event);
      if (result && typeof result.then === 'function') result.then(settle, fail);
      else settle(result);
    } catch (error) {
      fail(error);
    }
  }

  global.__load = function (make) {
    handler = make({ cloudfront: cloudfront, crypto: crypto });
    if (typeof handler !== 'function') throw new SyntaxError('a function named handler is missing');
  };
  global.__start = function (text, milliseconds, fresh) {
    if (fresh) passing.clear();
    event = JSON.parse(text);
    now = milliseconds;
    run();
  };
  // '' when the function waits for something that never comes.
  global.__take = function () {
    return wanted.length ? JSON.stringify({ wanted: wanted }) : outcome;
  };
  global.__answer = function (question, value) {
    (question.startsWith('digest') ? passing : lasting).set(question, value);
  };
  global.__logs = function () { return JSON.stringify(logs); };
  global.__forget = function () { lasting.clear(); };
})(globalThis);
