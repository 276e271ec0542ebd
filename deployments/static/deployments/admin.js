// The operators' pages without reloading them. Without this file the same pages work by links and
// by a reload: what is fetched here is a part of the page that the server writes either way.
(() => {
  const PAUSE_MS = 1000;
  const DOUBLE_CLICK_MS = 2000;

  // Gives the part of a page that stands at an address. What is no part (a login page, an error)
  // is thrown.
  const fetchPart = async (address) => {
    const answer = await fetch(address, { headers: { accept: 'text/html' } });
    const part = new DOMParser().parseFromString(await answer.text(), 'text/html').querySelector('[data-part]');
    if (!answer.ok || !part) throw new Error(`no part at ${address}`);
    return part;
  };

  // A part that takes a while, fetched once the page is there.
  const load = async (place) => {
    place.setAttribute('aria-busy', 'true');
    try {
      place.replaceChildren(await fetchPart(place.dataset.load));
    } catch {
      place.querySelector('[data-waiting]').textContent = 'No answer. Reload this page to try again.';
    }
    place.removeAttribute('aria-busy');
  };

  // Takes what is new and leaves the rest alone, so that a screen reader says each line once.
  const takeOver = (part, place) => {
    const steps = place.querySelector('[data-steps]');
    const known = steps.children.length;
    steps.append(...[...part.querySelectorAll('[data-steps] > li')].slice(known));
    for (const name of ['data-state', 'data-after']) {
      const [old, fresh] = [place, part].map((root) => root.querySelector(`[${name}]`));
      if (old.innerHTML !== fresh.innerHTML) old.innerHTML = fresh.innerHTML;
    }
    place.querySelector('[data-part]').dataset.ended = part.dataset.ended;
  };

  const follow = async (place) => {
    const lost = place.querySelector('[data-lost]');
    while (!place.querySelector('[data-part]').dataset.ended) {
      await new Promise((done) => setTimeout(done, PAUSE_MS));
      try {
        takeOver(await fetchPart(place.dataset.follow), place);
        lost.hidden = true;
      } catch {
        lost.hidden = false;
      }
    }
  };

  // A double click sends a form once.
  const sendOnce = (form) => {
    form.addEventListener('submit', (event) => {
      if (form.dataset.sent) event.preventDefault();
      form.dataset.sent = 'yes';
      setTimeout(() => delete form.dataset.sent, DOUBLE_CLICK_MS);
    });
  };

  document.querySelectorAll('main.dep form[method=post]').forEach(sendOnce);
  document.querySelectorAll('[data-load]').forEach(load);
  document.querySelectorAll('[data-follow]').forEach(follow);
})();
