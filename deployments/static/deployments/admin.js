// Updates the operators' pages without reloading them. Without this script the same pages work
// through links and reloads: it fetches parts of pages that the server renders in either case.
(() => {
  const PAUSE_MS = 1000;
  const DOUBLE_CLICK_MS = 2000;

  // Returns the part of a page at an address. Throws for anything else, such as a login page or an
  // error.
  const fetchPart = async (address) => {
    const answer = await fetch(address, { headers: { accept: 'text/html' } });
    const part = new DOMParser().parseFromString(await answer.text(), 'text/html').querySelector('[data-part]');
    if (!answer.ok || !part) throw new Error(`no part at ${address}`);
    return part;
  };

  // Fetches a slow part once the page is shown.
  const load = async (place) => {
    place.setAttribute('aria-busy', 'true');
    try {
      place.replaceChildren(await fetchPart(place.dataset.load));
    } catch {
      place.querySelector('[data-waiting]').textContent = 'No answer. Reload this page to try again.';
    }
    place.removeAttribute('aria-busy');
  };

  // Replaces only what is new, so that a screen reader reads each line once. A part may leave out
  // the first steps, as many as its data-known says.
  const takeOver = (part, place) => {
    const steps = place.querySelector('[data-steps]');
    const known = steps.children.length;
    steps.append(...[...part.querySelectorAll('[data-steps] > li')].slice(known - (part.dataset.known || 0)));
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
        const { length } = place.querySelector('[data-steps]').children;
        takeOver(await fetchPart(`${place.dataset.follow}?known=${length}`), place);
        lost.hidden = true;
      } catch {
        lost.hidden = false;
      }
    }
  };

  // Makes a double click submit a form only once.
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
