// Follows one job: polls its public document and shows it. All texts about a status come from the
// page's data or the document; this script knows no status by name.
{
  const data = JSON.parse(document.getElementById('data').textContent);
  const byId = (id) => document.getElementById(id);
  const RETRY_MS = 10e3, IDLE_MS = 300e3, EARLY_MS = 2e3, EARLY_POLLS = 2;
  let shown = null, seenAt = null, failures = 0, timer, due = 0;

  // /track/<token> and /track-staging/<token>, slash or not. Decoding and re-encoding gives
  // one spelling, however the link was escaped when it was shared.
  const address = () => {
    const token = location.pathname.split('/')[2];
    try {
      return token && `/track/${encodeURIComponent(decodeURIComponent(token))}.json`;
    } catch (error) {
      return '';
    }
  };

  const format = (date, options) =>
    new Intl.DateTimeFormat('en-US', { timeZone: data.zone, ...options }).format(date).replace(/\u202f/g, ' ');
  const clock = (date) => format(date, { hour: 'numeric', minute: '2-digit' });
  const dayOf = (date) => format(date, { year: 'numeric', month: '2-digit', day: '2-digit' });
  const day = (date) => {
    const near = { '-1': 'Yesterday', 0: 'Today', 1: 'Tomorrow' };
    const days = Math.round((Date.parse(dayOf(date)) - Date.parse(dayOf(new Date()))) / 864e5);
    return near[days] || format(date, { weekday: 'long', month: 'short', day: 'numeric' });
  };
  const moment = (text) => `${day(new Date(text))}, ${clock(new Date(text))}`;
  const interval = ({ start, end }) => {
    const [from, to] = [clock(new Date(start)), clock(new Date(end))];
    if (day(new Date(start)) !== day(new Date(end))) return `${moment(start)} – ${moment(end)}`;
    const same = from.slice(-2) === to.slice(-2);
    return `${day(new Date(start))}, ${same ? from.slice(0, -3) : from} – ${to}`;
  };

  // Leaves unchanged text alone so that screen readers do not repeat it.
  const setText = (id, text) => {
    if (byId(id).textContent !== text) byId(id).textContent = text;
  };
  const make = (tag, text, className) =>
    Object.assign(document.createElement(tag), { textContent: text, className: className || '' });

  const step = ({ code, label, at: when }, index, current, ends) => {
    const state = index < current || (index === current && ends) ? 'done' : index === current ? 'now' : '';
    const item = make('li', '', state);
    if (state === 'now') {
      item.setAttribute('aria-current', 'step');
      item.append(byId('truck').content.cloneNode(true));
    }
    const name = make('span', label);
    if (state === 'done') name.append(make('span', ' (done)', 'vh'));
    item.append(name);
    if (when) item.append(Object.assign(make('time', moment(when)), { dateTime: when }));
    return item;
  };

  const show = (job) => {
    const about = data.statuses[job.status] || { next: '', poll: 300 };
    const open = about.poll > 0;
    const current = job.flow.findIndex(({ code }) => code === job.status);
    setText('hello', `Hi ${job.first_name || 'there'}, here’s the status of your job:`);
    setText('status', job.label);
    byId('status').dataset.status = job.status;
    setText('window', job.window && open ? interval(job.window) : '');
    byId('late').hidden = !(about.waits && job.window && Date.parse(job.window.end) <= Date.now());
    setText('next', about.next);
    const road = byId('road').cloneNode(false);
    road.append(...job.flow.map((one, index) => step(one, index, current, !open)));
    if (!road.isEqualNode(byId('road'))) byId('road').replaceWith(road);
    for (const id of ['number', 'service', 'area']) setText(id, job[id]);
    setText('price', job.price || data.noPrice);
    setText('crew', job.crew || data.noCrew);
    setText('updated', `Last updated: ${moment(job.updated_at)}`);
    byId('job').hidden = false;
    document.title = `${job.label} · ${job.number}`;
  };

  const found = (yes) => {
    byId('found').hidden = !yes;
    byId('inactive').hidden = yes;
  };

  const pause = () => {
    if (failures && !shown && failures <= EARLY_POLLS) return EARLY_MS;
    if (failures) return Math.min(IDLE_MS, RETRY_MS * 2 ** (failures - 1));
    const about = shown && data.statuses[shown.status];
    return about ? about.poll * 1e3 : IDLE_MS;
  };

  const wait = () => {
    clearTimeout(timer);
    const ms = pause();
    due = ms ? Date.now() + ms : Infinity;
    if (ms) timer = setTimeout(poll, document.hidden ? Math.max(ms, IDLE_MS) : ms);
  };

  // `no-cache` revalidates with the edge every time, using the ETag of the browser's copy.
  const poll = async () => {
    try {
      const answer = await fetch(address(), { cache: 'no-cache', credentials: 'omit', referrerPolicy: 'no-referrer' });
      if (answer.status === 404 || answer.status === 403) {
        failures += 1;
        // A customer who has just booked may arrive before the document is published.
        if (shown || failures > EARLY_POLLS) found(false);
        shown = null;
        return wait();
      }
      if (!answer.ok) throw new Error(answer.status);
      shown = await answer.json();
      seenAt = new Date();
      failures = 0;
      show(shown);
      found(true);
      byId('stale').hidden = true;
    } catch (error) {
      failures += 1;
      if (!shown) setText('status', 'Still looking…');
      setText('stale', shown ? `No connection. Showing the status as of ${clock(seenAt)}.`
        : 'No connection yet. This page will keep trying.');
      byId('stale').hidden = false;
    }
    return wait();
  };

  document.addEventListener('visibilitychange', () => {
    if (document.hidden) return;
    if (shown) show(shown);
    if (Date.now() >= due) poll();
    else if (due < Infinity) { clearTimeout(timer); timer = setTimeout(poll, due - Date.now()); }
  });
  addEventListener('online', () => failures && poll());

  if (address()) poll();
  else found(false);
}
