// Keeps the page for times without a network.
addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(clients.claim()));
addEventListener("fetch", (event) => {
  if (event.request.mode === "navigate") event.respondWith(answer(event.request));
});

async function answer(request) {
  const kept = await caches.open("pages");
  try {
    const page = await fetch(request);
    await kept.put("/", page.clone());
    return page;
  } catch {
    return kept.match("/");
  }
}
