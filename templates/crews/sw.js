// Keeps the run of today and what its page needs, so that it opens without a signal.
// Taps are not its business: the page keeps and sends them.
const SHELL = {% autoescape off %}{{ shell }}{% endautoescape %};
const SHELLS = 'crew-shell', RUNS = 'crew-runs';
const KEPT_HOURS = 28; // from midnight to 4 the next morning
const PATIENCE = 4000; // milliseconds that a page waits for a bad signal

const token = (url) => new URL(url).pathname.split('/')[2];
const isOld = (answer) => Date.now() - Date.parse(answer.headers.get('Date')) > KEPT_HOURS * 3600e3;
const forget = async (unwanted) => {
  const runs = await caches.open(RUNS);
  for (const request of await runs.keys()) {
    const answer = await runs.match(request);
    if (unwanted(request, answer)) await runs.delete(request);
  }
};

addEventListener('install', (event) => {
  event.waitUntil(caches.open(SHELLS).then((shell) => shell.addAll(SHELL)).then(() => skipWaiting()));
});
addEventListener('activate', (event) => {
  const clean = async () => {
    const shell = await caches.open(SHELLS);
    for (const request of await shell.keys()) if (!SHELL.includes(new URL(request.url).pathname)) await shell.delete(request);
    await forget((request, answer) => isOld(answer));
    await clients.claim();
  };
  event.waitUntil(clean());
});

// What the network says, and the page of an ended link is forgotten with all that belongs to it.
const fromNetwork = async (request, key) => {
  const answer = await fetch(request);
  const runs = await caches.open(RUNS);
  if (answer.ok) await runs.put(key, answer.clone());
  if (answer.status === 404) await forget((kept) => token(kept.url) === token(key));
  return answer;
};
const page = async (request) => {
  const key = new URL(request.url).origin + new URL(request.url).pathname.replace(/\/?$/, '/');
  await forget((kept, answer) => isOld(answer));
  const kept = await (await caches.open(RUNS)).match(key);
  const network = fromNetwork(request, key);
  if (!kept) return network;
  const patience = new Promise((done) => setTimeout(done, PATIENCE, kept));
  return Promise.race([network.catch(() => kept), patience]);
};
const picture = async (request) => (await (await caches.open(RUNS)).match(request.url)) || fromNetwork(request, request.url);
const shell = async (request) => (await (await caches.open(SHELLS)).match(request)) || fetch(request);

addEventListener('fetch', (event) => {
  const { request } = event, { origin, pathname } = new URL(request.url);
  if (request.method !== 'GET' || origin !== location.origin) return;
  if (SHELL.includes(pathname)) event.respondWith(shell(request));
  else if (/^\/crew\/[^/]+\/?$/.test(pathname) && pathname !== '/crew/sw.js') event.respondWith(page(request));
  else if (/^\/crew\/[^/]+\/photo\//.test(pathname)) event.respondWith(picture(request));
});
