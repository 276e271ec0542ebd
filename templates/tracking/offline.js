// The service worker of the tracking pages: without a signal, a reload shows the page as last seen.
// It keeps one page for all links, since a page holds nothing of a job; the browser keeps the job's
// last document with the tab.
const PAGE = registration.scope, CACHE = 'page';

const isPage = (answer) => answer.ok && !answer.redirected
  && (answer.headers.get('Content-Type') || '').startsWith('text/html');
const keep = async (answer) => (await caches.open(CACHE)).put(PAGE, answer);
const kept = async () => (await caches.match(PAGE)) || Response.error();

addEventListener('install', (event) => {
  skipWaiting();
  event.waitUntil(fetch(PAGE).then((answer) => isPage(answer) && keep(answer)));
});
addEventListener('fetch', (event) => {
  if (event.request.mode !== 'navigate') return;
  event.respondWith(fetch(event.request).then((answer) => {
    if (isPage(answer)) event.waitUntil(keep(answer.clone()));
    return answer;
  }, kept));
});
