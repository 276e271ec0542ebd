// Keeps what a crew taps on the phone until it was sent, and shows what became of it.
// Without this script, or without a place to keep taps, the page's forms do the same online.
(async () => {
  const run = document.querySelector('#run');
  if (!run || !isSecureContext || !window.indexedDB || !navigator.serviceWorker || !navigator.locks) return;
  const { offered, leads, closed, states, acts, texts } = JSON.parse(run.dataset.tables);
  const ours = run.dataset.run, here = location.pathname.replace(/\/?$/, '/');
  const SIDE = 1600, QUALITY = 0.8; // pixels, of 1
  const HOUR = 3600e3, AT_ONCE = 50, REFRESH = 60e3, RETRY = 15e3; // milliseconds, but for AT_ONCE
  const net = document.querySelector('#net');
  const say = (text, values = {}) => (texts[text] || text).replace(/{(\w+)}/g, (_, name) => values[name]);
  let entries = [], offline = !navigator.onLine, ended = false;

  // The queue: taps and photos of this phone in the order of their time, with their state.
  const opening = new Promise((done, failed) => {
    const asked = indexedDB.open('crew', 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore('queue', { keyPath: 'id', autoIncrement: true });
    asked.onsuccess = () => done(asked.result);
    asked.onerror = () => failed(asked.error);
  });
  const database = await opening.catch(() => null);
  if (!database) return; // as in a private window of some browsers
  const queue = (mode, use) => {
    return new Promise((done, failed) => {
      // Strict: a phone that is killed a moment later still has it.
      const transaction = database.transaction('queue', mode, { durability: 'strict' });
      const asked = use(transaction.objectStore('queue'));
      transaction.oncomplete = () => done(asked && asked.result);
      transaction.onabort = () => failed(transaction.error);
    });
  };
  const reload = async () => { entries = await queue('readonly', (store) => store.getAll()); draw(); };
  const keep = (changed) => queue('readwrite', (store) => { for (const one of changed) store.put(one); });
  const remove = (gone) => queue('readwrite', (store) => { for (const one of gone) store.delete(one.id); });
  const of = (job) => entries.filter((one) => one.run === ours && one.job === job);
  const waiting = () => entries.filter((one) => one.run === ours && one.state === 'waiting');

  const smaller = async (file) => {
    const picture = await createImageBitmap(file);
    const scale = Math.min(1, SIDE / Math.max(picture.width, picture.height));
    const canvas = document.createElement('canvas');
    canvas.width = Math.max(1, Math.round(picture.width * scale));
    canvas.height = Math.max(1, Math.round(picture.height * scale));
    canvas.getContext('2d').drawImage(picture, 0, 0, canvas.width, canvas.height);
    picture.close();
    const blob = await new Promise((done) => canvas.toBlob(done, 'image/jpeg', QUALITY));
    return blob && blob.size < file.size ? blob : file;
  };
  // A browser that cannot open a photo, such as HEIC, sends it as it is.
  const photo = async (file, tap) => {
    const blob = await smaller(file).catch(() => file);
    return { ...tap, act: 'photo', key: crypto.randomUUID(), blob, name: file.name || 'photo.jpg' };
  };

  const take = async (data, at) => {
    const tap = { run: ours, job: data.get('job'), at, state: 'waiting' };
    const files = data.getAll('photos').filter((file) => file.size);
    const fields = Object.fromEntries(['minutes', 'why', 'note', 'price', 'stage'].filter((name) => data.has(name)).map((name) => [name, data.get(name)]));
    if (data.get('act') !== 'photo') await keep([{ ...tap, ...fields, act: data.get('act'), key: data.get('key') }]);
    for (const file of files) await keep([await photo(file, { ...tap, stage: fields.stage || 'before' })]); // one by one: a phone has little memory
    await reload();
    send();
  };

  // One after the other, so that the order is that of the taps.
  let taken = Promise.resolve();
  run.addEventListener('submit', (event) => {
    const form = event.target, data = new FormData(form), at = new Date().toISOString();
    if (event.submitter && event.submitter.name) data.set(event.submitter.name, event.submitter.value);
    event.preventDefault();
    taken = taken.then(() => take(data, at)).then(() => {
      form.reset();
      form.elements.key.value = crypto.randomUUID();
      const box = form.closest('details');
      if (box.dataset.act) box.open = false;
    }).catch(() => { // no room to keep it: send it at once
      if (event.submitter && event.submitter.name) {
        const { name, value } = event.submitter;
        form.append(Object.assign(document.createElement('input'), { type: 'hidden', name, value }));
      }
      form.submit();
    });
  });

  // Sending
  const asked = async (path, options) => {
    const answer = await fetch(here + path, { method: 'POST', ...options, headers: { Accept: 'application/json', ...options.headers } });
    if (answer.status === 404) throw Object.assign(new Error('ended'), { ended: true });
    if (answer.status >= 500 || answer.status === 429) throw new Error('later');
    const words = async () => [...new DOMParser().parseFromString(await answer.text(), 'text/html').querySelectorAll('main h1')].map((one) => one.textContent).join(' ');
    const sent = new Date(answer.headers.get('Date') || Date.now()).toISOString();
    return answer.ok ? { sent, results: (await answer.json()).results } : { sent, all: await words() || String(answer.status) };
  };
  const sendTaps = (taps) => asked('taps', {
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ taps: taps.map(({ key, act, job, at, minutes, why, note, price }) => ({ key, act, job, at, minutes, why, note, price })) }),
  });
  const sendPhoto = ({ key, act, job, at, stage, blob, name }) => {
    const body = new FormData();
    for (const [field, value] of Object.entries({ key, act, job, at, stage })) body.set(field, value);
    body.set('photos', blob, name);
    return asked('photos/', { body });
  };
  const settle = (one, { sent, results, all }) => {
    const { result, words } = results ? results.find(({ key }) => key === one.key) : { result: 'refused', words: all };
    const { blob, ...rest } = one;
    return { ...rest, sent, state: result === 'refused' ? 'refused' : 'sent', words };
  };
  const sendNext = async (next) => {
    const until = next.findIndex(({ act }) => act === 'photo');
    const some = until === 0 ? next.slice(0, 1) : next.slice(0, until > 0 ? Math.min(until, AT_ONCE) : AT_ONCE);
    const answer = await (until === 0 ? sendPhoto(some[0]) : sendTaps(some));
    await keep(some.map((one) => settle(one, answer)));
  };
  // Another tab of this page waits: each tap is sent by one of them.
  const send = () => navigator.locks.request('crew-queue', async () => {
    let sent = false;
    try {
      await reload();
      while (waiting().length && !ended) {
        await sendNext(waiting());
        sent = true;
        offline = false;
        await reload();
      }
    } catch (error) {
      if (error.ended) ended = true;
      else offline = true;
    }
    draw();
    if (sent) await refresh();
  });

  // Showing
  const stateOf = (card) => of(card.dataset.job)
    .filter(({ state, sent }) => state === 'waiting' || (state === 'sent' && sent >= run.dataset.now))
    .reduce((state, { act }) => leads[act] || state, card.dataset.state);
  const line = ({ at, act, state, words }) => {
    const text = { waiting: say('waiting for signal'), sent: say('sent'), refused: say('refused: {words}', { words }) }[state];
    const time = new Date(at).toLocaleTimeString(document.documentElement.lang, { hour: 'numeric', minute: '2-digit' });
    const shown = Object.assign(document.createElement('span'), { className: state, textContent: `${acts[act]}, ${time}: ${text}` });
    return shown;
  };
  const drawCard = (card) => {
    const state = stateOf(card), mine = of(card.dataset.job), news = card.querySelector('.news');
    const changed = state !== card.dataset.shown;
    const lines = JSON.stringify(mine.map(({ key, state: one }) => [key, one]));
    if (changed && (card.dataset.shown || state !== card.dataset.state)) {
      card.querySelector('.state').textContent = states[state];
      for (const one of card.querySelectorAll('[data-act]:not([data-act=photo])')) {
        const { act } = one.dataset, place = (offered[state] || []).indexOf(act);
        one.hidden = place < 0;
        const button = one.matches('form') && one.querySelector('.button');
        if (button) button.classList.toggle('next', place === 0);
      }
      // A gate code is gone when the job is done, with or without a signal.
      if (closed.includes(state)) card.querySelector('.private')?.remove();
    }
    card.dataset.shown = state;
    if (news.dataset.lines !== lines) {
      news.dataset.lines = lines;
      news.hidden = !mine.length;
      news.replaceChildren(...mine.map(line));
    }
  };
  const drawNet = () => {
    const count = waiting().length, now = Date.now();
    const lost = entries.filter((one) => one.run !== ours && one.state === 'waiting' && now - Date.parse(one.at) > 6 * HOUR);
    const parts = [];
    if (ended) parts.push(say('This link has ended. Call the office with what you did.'));
    else if (offline) parts.push(say('No signal. What you tap is kept on this phone and sent later.'));
    if (count) parts.push(say('Waiting for signal: {count}', { count }));
    if (lost.length) parts.push(say('Not sent, of another run: {count}. Call the office.', { count: lost.length }));
    if (net.textContent !== parts.join(' ')) net.textContent = parts.join(' ');
    net.hidden = !parts.length;
  };
  const draw = () => {
    run.querySelectorAll('.stop').forEach(drawCard);
    if (ended) run.querySelectorAll('.private').forEach((one) => one.remove());
    drawNet();
  };

  // What the office changed in the meantime. A card in which someone types stays as it is.
  const isBusy = (card) => [...card.querySelectorAll('input:not([type=hidden]), textarea')].some((field) => (
    field.type === 'radio' ? field.checked : field.value !== ''));
  const isSame = (old, card) => ['revision', 'state'].every((name) => old.dataset[name] === card.dataset[name])
    // A tap on Done that was refused has taken away what the crew needs again.
    && (closed.includes(stateOf(old)) || !old.querySelector('.private') === !card.querySelector('.private'));
  const replace = (page) => {
    const fresh = page.querySelector('#run');
    const kept = (card) => run.querySelector(`#${card.id}`);
    const list = [...fresh.children].map((card) => {
      const old = card.id && kept(card);
      if (!old || isSame(old, card) || isBusy(old)) return old || card;
      const opened = [...old.querySelectorAll('details')].map(({ open }) => open);
      card.querySelectorAll('details').forEach((box, index) => { if (opened.length > index) box.open = opened[index]; });
      return card;
    });
    run.dataset.now = fresh.dataset.now;
    if (list.length !== run.children.length || list.some((card, index) => card !== run.children[index])) run.replaceChildren(...list);
    document.querySelector('.top p').textContent = page.querySelector('.top p').textContent;
    draw();
  };
  const refresh = async () => {
    try {
      const answer = await fetch(here, { headers: { Accept: 'text/html' } });
      ended = answer.status === 404;
      if (answer.ok) replace(new DOMParser().parseFromString(await answer.text(), 'text/html'));
      offline = !navigator.onLine;
    } catch (error) {
      offline = true;
    }
    draw();
  };
  const look = () => { if (!document.hidden) (waiting().length ? send() : refresh()); };

  const old = (await queue('readonly', (store) => store.getAll())).filter(({ at, state }) => Date.now() - Date.parse(at) > (state === 'waiting' ? 168 : 24) * HOUR);
  await remove(old);
  addEventListener('online', () => { offline = false; send().then(refresh); }); // another tab may have sent all
  addEventListener('offline', () => { offline = true; draw(); });
  document.addEventListener('visibilitychange', look);
  setInterval(look, REFRESH);
  setInterval(() => { if (waiting().length && navigator.onLine) send(); }, RETRY);
  await navigator.serviceWorker.register('/crew/sw.js', { scope: '/crew/' }).catch(() => {});
  send();
  await navigator.serviceWorker.ready;
  if (!navigator.serviceWorker.controller) await new Promise((done) => navigator.serviceWorker.addEventListener('controllerchange', done, { once: true }));
  await refresh(); // through the worker, which keeps it
  document.documentElement.dataset.kept = 'yes';
})();
