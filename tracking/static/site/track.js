// Follows one job: polls its public document and shows it. All texts come from the page's data, in two
// languages, or from the document; this script knows no status by name. A status or a field that a later
// release adds shows as much as is known.
{
  const data = JSON.parse(document.getElementById('data').textContent);
  const byId = (id) => document.getElementById(id);
  const RETRY_MS = 10e3, IDLE_MS = 300e3, EARLY_MS = 2e3, EARLY_POLLS = 3, JITTER = 0.1;
  const UNKNOWN = { hello: '', when: '', unplanned: '', next: '', poll: 300, end: '' };
  let shown = null, seenAt = null, failures = 0, timer, due = 0, language = 'en', texts = data.texts.en;

  // /track/<token> and /track-staging/<token>, slash or not. Decoding and re-encoding gives
  // one spelling, however the link was escaped when it was shared.
  const token = (() => {
    try {
      return encodeURIComponent(decodeURIComponent(location.pathname.split('/')[2] || ''));
    } catch (error) {
      return '';
    }
  })();

  // The page is in the document's language, and until then in the browser's. The <template> has all
  // that differs; what it replaces is kept for the way back.
  const speak = (code) => {
    if (!data.texts[code] || code === language) return;
    for (const part of byId('other').content.children) {
      const here = document.querySelector(part.dataset.part), before = [...here.childNodes];
      here.replaceChildren(...part.childNodes);
      part.replaceChildren(...before);
    }
    language = document.documentElement.lang = code;
    texts = data.texts[code];
  };

  const fill = (text, values) => text.replace(/%\((\w+)\)s/g, (_, name) => values[name]);
  const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);
  const formats = {}; // slow to make
  const parts = (date, options, locale = 'en-US') => {
    const format = formats[locale + JSON.stringify(options)] ||= new Intl.DateTimeFormat(locale, { timeZone: data.zone, ...options });
    return Object.fromEntries(format.formatToParts(date).map((one) => [one.type, one.value]));
  };
  const hour = (date) => {
    const { hour, minute, dayPeriod } = parts(date, { hour: 'numeric', minute: '2-digit', hour12: true });
    return { text: `${hour}:${minute}`, half: texts.clock[dayPeriod[0] === 'A' ? 0 : 1] };
  };
  const clock = (date) => fill(hour(date).half, { time: hour(date).text });
  const numbers = (date) => {
    const { year, month, day } = parts(date, { year: 'numeric', month: '2-digit', day: '2-digit' });
    return Date.parse(`${year}-${month}-${day}`);
  };
  const away = (date) => Math.round((numbers(date) - numbers(new Date())) / 864e5);
  const near = (date) => texts.near[away(date) + 1];
  // The format is that of Django's filter `date`; M is a short month, F a long one.
  const day = (date) => near(date) || texts.date.replace(/\\(.)|[lMFj]/g, (sign, literal) => literal || {
    l: () => parts(date, { weekday: 'long' }, language).weekday,
    M: () => parts(date, { month: 'short' }, language).month,
    F: () => parts(date, { month: 'long' }, language).month,
    j: () => parts(date, { day: 'numeric' }).day,
  }[sign]());
  const onDay = (date) => near(date) ? near(date).toLowerCase() : fill(texts.on, { day: day(date) });
  const moment = (date) => `${day(date)}, ${clock(date)}`;
  const range = (start, end, first, pattern, short) => {
    if (day(start) !== day(end)) return `${first}, ${clock(start)} – ${moment(end)}`;
    const from = hour(start), ends = short(clock(end));
    const begins = short(from.half === hour(end).half ? from.text : clock(start));
    return fill(pattern, { day: first, begins, ends });
  };
  const interval = (start, end) => capital(range(start, end, day(start), texts.interval, (text) => text));
  const between = (start, end, first) => range(start, end, first, texts.between, (text) => text.replace(':00', ''));

  // Leaves unchanged text alone so that screen readers do not repeat it.
  const setText = (id, text) => {
    if (byId(id).textContent !== text) byId(id).textContent = text;
  };
  const make = (tag, text, className) =>
    Object.assign(document.createElement(tag), { textContent: text, className: className || '' });

  const step = ({ label, at: reached }, index, current, end) => {
    const state = index < current ? 'done' : index === current ? end || 'now' : '';
    const item = make('li', '', state);
    if (state === 'now') {
      item.setAttribute('aria-current', 'step');
      item.append(byId('truck').content.cloneNode(true));
    }
    const name = make('span', label);
    if (state === 'done') name.append(make('span', texts.done, 'vh'));
    item.append(name);
    if (reached) item.append(Object.assign(make('time', capital(moment(new Date(reached)))), { dateTime: reached }));
    return item;
  };

  const aboutOf = (job) => {
    const row = texts.statuses[job.status] || UNKNOWN;
    return job.on_hold ? { ...row, ...texts.onHold } : row;
  };
  const windowOf = (job) => {
    const open = job.window && !job.on_hold && !aboutOf(job).end;
    return open ? [new Date(job.window.start), new Date(job.window.end)] : null;
  };
  const endOf = (job) => new Date(job.flow[job.flow.length - 1].at || job.updated_at);

  // By how many minutes the crew says it is late, until they are over too.
  const delay = (job, period) => (job.late_by && Date.now() < +period[1] + job.late_by * 60e3 ? job.late_by : 0);

  const when = (job, about, period, late) => {
    if (about.end) return fill(texts[job.cancelled_by] || about.when, { day: onDay(endOf(job)) });
    if (late && delay(job, period)) return fill(texts.lateBy, { minutes: job.late_by });
    if (about.when) return about.when;
    if (late) return texts.late;
    if (!period) return about.unplanned || job.label;
    if (!job.placed) return capital(between(...period, day(period[0])));
    // The crew comes to fetch the dumpster.
    return fill(texts.pickup, { when: between(...period, onDay(period[0])) });
  };

  const show = (job) => {
    speak(job.lang || 'en');
    const about = aboutOf(job), period = windowOf(job), ended = !!about.end;
    const late = !!(about.waits && period && (delay(job, period) || period[1] <= Date.now()));
    const current = job.flow.findIndex(({ code }) => code === job.status);
    const price = job.price || texts.noPrice;
    const all = {
      hello: (job.first_name ? fill(texts.hi, { name: job.first_name }) : texts.hiThere) + about.hello,
      when: when(job, about, period, late), status: job.label, next: about.next,
      question: job.price_question ? fill(texts.question, job.price_question) : '',
      window: period ? interval(...period) : '', number: job.number, service: job.service,
      area: job.area || '', price, crew: job.crew || texts.noCrew, receipt: `${price}, ${day(endOf(job))}`,
      updated: fill(texts.changed, { at: moment(new Date(job.updated_at)) }),
      checked: fill(texts.checked, { at: clock(seenAt) }), link: location.origin + location.pathname,
    };
    for (const id in all) setText(id, all[id]);
    byId('status').dataset.status = job.status;
    const road = byId('road').cloneNode(false);
    road.append(...job.flow.map((one, index) => step(one, index, current, about.end)));
    if (!road.isEqualNode(byId('road'))) byId('road').replaceWith(road);
    const hidden = {
      late: !late, 'question-box': !job.price_question, 'receipt-line': about.end !== 'done', again: !ended,
      'next-title': ended, 'price-row': about.end === 'stopped', calendar: !period,
      'window-row': !period, 'area-row': job.receipt, 'crew-row': job.receipt, road: job.receipt,
      change: job.receipt, wait: true, job: false,
    };
    for (const id in hidden) byId(id).hidden = !!hidden[id];
    if (ended) setText('change', texts.see);
    byId('change').href = byId('answer').href = `/t/${token}/`;
    byId('calendar').href = `/t/${token}/calendar.ics`;
    byId('link').href = location.pathname;
    document.title = `${job.label} · ${job.number}`;
    dispatchEvent(new Event('shown'));
  };

  // A customer who has just booked may arrive before the document is published.
  const early = () => token && !seenAt && failures < EARLY_POLLS;

  const found = (yes) => {
    byId('found').hidden = !yes;
    byId('inactive').hidden = yes;
    byId('soon').hidden = !early();
    if (!yes) document.title = texts.inactive;
  };

  // For a reload without a signal. The browser keeps it with this tab's history, under no name.
  const keep = (job) => {
    try { history.replaceState(job && { job, at: seenAt.getTime() }, ''); } catch (error) { /* off */ }
  };

  const pause = () => {
    if (failures && early()) return EARLY_MS;
    if (failures) return Math.min(IDLE_MS, RETRY_MS * 2 ** (failures - 1));
    const { poll, waits } = aboutOf(shown), period = windowOf(shown);
    const isDay = waits && period && away(period[0]) <= 0;
    return (isDay ? Math.min(poll, data.dayPoll) : poll) * 1e3;
  };

  // A hidden tab looks when it is seen again.
  const wait = () => {
    clearTimeout(timer);
    const ms = pause() * (1 + JITTER * (2 * Math.random() - 1));
    due = ms ? Date.now() + ms : Infinity;
    if (ms && !document.hidden) timer = setTimeout(poll, ms);
  };

  const failed = () => {
    if (!shown) setText('when', texts.searching);
    setText('stale', shown ? fill(texts.stale, { at: clock(seenAt) }) : texts.offline);
    byId('stale').hidden = false;
  };

  // Then a reload without a signal finds this page. Nothing waits for it, and a browser may refuse.
  const prepareOffline = () => {
    if (!navigator.serviceWorker) return;
    const scope = `/${location.pathname.split('/')[1]}/`;
    navigator.serviceWorker.register('/t/offline.js', { scope }).catch(() => {});
  };

  // `no-cache` revalidates with the edge every time, using the ETag of the browser's copy.
  const poll = async () => {
    clearTimeout(timer);
    due = Infinity;
    try {
      const answer = await fetch(`/track/${token}.json`, { cache: 'no-cache', credentials: 'omit', referrerPolicy: 'no-referrer' });
      if (answer.status === 404 || answer.status === 403) {
        failures += 1;
        shown = null;
        keep(null);
        found(false);
        return wait();
      }
      if (!answer.ok) throw new Error(answer.status);
      const job = await answer.json();
      if (!seenAt || !shown) prepareOffline();
      shown = job;
      seenAt = new Date();
      failures = 0;
      show(job);
      found(true);
      keep(job);
      byId('stale').hidden = true;
    } catch (error) {
      failures += 1;
      failed();
    }
    return wait();
  };

  document.addEventListener('visibilitychange', () => {
    clearTimeout(timer);
    if (document.hidden) return;
    if (shown) show(shown);
    if (due < Infinity) poll();
  });
  addEventListener('online', () => failures && poll());

  speak((navigator.language || '').slice(0, 2));
  if (history.state && history.state.job) {
    ({ job: shown, at: seenAt } = history.state);
    seenAt = new Date(seenAt);
    try { show(shown); } catch (error) { shown = null; } // of another release
  }
  if (token) poll();
  else found(false);
}
