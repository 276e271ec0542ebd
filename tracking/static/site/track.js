// Follows one job: reads its public document and shows it, again whenever it may have changed.
// Everything said about a status comes from the page's data or the document, never from here.
{
  const data = JSON.parse(document.getElementById('data').textContent);
  const at = (id) => document.getElementById(id);
  const RETRY_MS = 10e3, IDLE_MS = 300e3, EARLY_MS = 2e3, EARLY_LOOKS = 2;
  let shown = null, seenAt = null, failures = 0, timer, due = 0;

  // /track/<token> and /track-staging/<token>, slash or not. Decoding and encoding again leaves
  // one spelling, whatever the link looked like where it was pasted.
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

  // Text that did not change is left alone, so that a screen reader stays quiet.
  const say = (id, text) => {
    if (at(id).textContent !== text) at(id).textContent = text;
  };
  const make = (tag, text, className) =>
    Object.assign(document.createElement(tag), { textContent: text, className: className || '' });

  const step = ({ code, label, at: when }, index, current, ends) => {
    const state = index < current || (index === current && ends) ? 'done' : index === current ? 'now' : '';
    const item = make('li', '', state);
    if (state === 'now') {
      item.setAttribute('aria-current', 'step');
      item.append(at('truck').content.cloneNode(true));
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
    say('hello', `Hi ${job.first_name || 'there'}, here is where your job stands:`);
    say('status', job.label);
    at('status').dataset.status = job.status;
    say('window', job.window && open ? interval(job.window) : '');
    at('late').hidden = !(about.waits && job.window && Date.parse(job.window.end) <= Date.now());
    say('next', about.next);
    const road = at('road').cloneNode(false);
    road.append(...job.flow.map((one, index) => step(one, index, current, !open)));
    if (!road.isEqualNode(at('road'))) at('road').replaceWith(road);
    for (const id of ['number', 'service', 'area']) say(id, job[id]);
    say('price', job.price || data.noPrice);
    say('crew', job.crew || data.noCrew);
    say('updated', `Last change: ${moment(job.updated_at)}`);
    at('job').hidden = false;
    document.title = `${job.label} · ${job.number}`;
  };

  const found = (yes) => {
    at('found').hidden = !yes;
    at('inactive').hidden = yes;
  };

  const pause = () => {
    if (failures && !shown && failures <= EARLY_LOOKS) return EARLY_MS;
    if (failures) return Math.min(IDLE_MS, RETRY_MS * 2 ** (failures - 1));
    const about = shown && data.statuses[shown.status];
    return about ? about.poll * 1e3 : IDLE_MS;
  };

  const wait = () => {
    clearTimeout(timer);
    const ms = pause();
    due = ms ? Date.now() + ms : Infinity;
    if (ms) timer = setTimeout(look, document.hidden ? Math.max(ms, IDLE_MS) : ms);
  };

  // `no-cache` asks the edge each time, with the ETag of what the browser holds.
  const look = async () => {
    try {
      const answer = await fetch(address(), { cache: 'no-cache', credentials: 'omit', referrerPolicy: 'no-referrer' });
      if (answer.status === 404 || answer.status === 403) {
        failures += 1;
        // Who has just booked may be here before the document is.
        if (shown || failures > EARLY_LOOKS) found(false);
        shown = null;
        return wait();
      }
      if (!answer.ok) throw new Error(answer.status);
      shown = await answer.json();
      seenAt = new Date();
      failures = 0;
      show(shown);
      found(true);
      at('stale').hidden = true;
    } catch (error) {
      failures += 1;
      if (!shown) say('status', 'Still looking…');
      say('stale', shown ? `No connection. Showing what we knew at ${clock(seenAt)}.`
        : 'No connection yet. This page keeps trying by itself.');
      at('stale').hidden = false;
    }
    return wait();
  };

  document.addEventListener('visibilitychange', () => {
    if (document.hidden) return;
    if (shown) show(shown);
    if (Date.now() >= due) look();
    else if (due < Infinity) { clearTimeout(timer); timer = setTimeout(look, due - Date.now()); }
  });
  addEventListener('online', () => failures && look());

  if (address()) look();
  else found(false);
}
