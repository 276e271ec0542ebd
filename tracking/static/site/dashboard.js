// The board: fetches /api/board and shows it, every 30 seconds while the page is visible.
{
  const data = JSON.parse(document.getElementById('data').textContent);
  const byId = (id) => document.getElementById(id);
  const EVERY_MS = 30e3;
  let seenAt = null, busy = false, last = 0;

  const clock = (date) => new Intl.DateTimeFormat('en-US',
    { timeZone: data.zone, hour: 'numeric', minute: '2-digit' }).format(date).replace(/\u202f/g, ' ');
  // Most windows begin and end on the hour, and columns are narrow: leave out ":00".
  const hour = (date) => clock(date).replace(':00', '');
  const day = (date) => new Intl.DateTimeFormat('en-US',
    { timeZone: data.zone, weekday: 'short', month: 'short', day: 'numeric' }).format(date);
  const make = (tag, text, className) =>
    Object.assign(document.createElement(tag), { textContent: text || '', className: className || '' });
  const count = (number, word) => `${number} ${word}${number === 1 ? '' : 's'}`;

  const windowText = ({ start, end }) => {
    const [from, to] = [new Date(start), new Date(end)];
    const here = day(from) === day(new Date()) ? '' : `${day(from)}, `;
    const [begins, ends] = [hour(from), hour(to)];
    if (day(from) !== day(to)) return `${here}${begins} – ${day(to)}, ${ends}`;
    const same = begins.slice(-2) === ends.slice(-2);
    return `${here}${same ? begins.slice(0, -3) : begins} – ${ends}`;
  };

  const card = (job) => {
    const item = make('li'), link = make('a', '', 'job');
    link.href = job.url;
    if (job.late) link.classList.add('late');
    if (job.on_hold) link.classList.add('held');
    link.append(make('b', job.name));
    if (job.window && job.window.start) link.append(make('span', windowText(job.window), 'when'));
    if (job.late) link.append(make('span', 'Running late', 'alarm'));
    if (job.on_hold) link.append(make('span', `On hold: ${job.hold_reason}`, 'alarm'));
    link.append(make('div', `${job.service}, ${job.town}`));
    const who = make('div', job.crew || 'No crew yet');
    who.append(' · ', make('span', job.price || 'No price yet', 'whole'));
    link.append(who);
    link.append(make('span', job.number, 'fact'));
    item.append(link);
    return item;
  };

  const column = ({ label, jobs }) => {
    const part = make('div', '', jobs.length ? 'column busy' : 'column');
    const title = make('h2', label);
    title.append(make('span', String(jobs.length)));
    part.append(title);
    const list = make('ul');
    list.append(...jobs.map(card));
    part.append(jobs.length ? list : make('p', 'None', 'none'));
    return part;
  };

  const summary = (jobs) => {
    const late = jobs.filter((job) => job.late).length, held = jobs.filter((job) => job.on_hold).length;
    if (!jobs.length) return 'No jobs today. New bookings appear here automatically.';
    return [count(jobs.length, 'job'), late && `${late} late`, held && `${held} on hold`].filter(Boolean).join(' · ');
  };

  const show = (board) => {
    const text = summary(board.columns.flatMap(({ jobs }) => jobs));
    if (byId('summary').textContent !== text) byId('summary').textContent = text;
    byId('asof').textContent = `As of ${clock(new Date(board.generated_at))}`;
    // Redrawing the board keeps the keyboard focus on the same card.
    const focused = document.activeElement && document.activeElement.href;
    byId('board').replaceChildren(...board.columns.map(column));
    const again = focused && [...byId('board').querySelectorAll('a')].find(({ href }) => href === focused);
    if (again) again.focus({ preventScroll: true });
    byId('board').hidden = false;
    byId('login').hidden = true;
  };

  const askToSignIn = ({ login }) => {
    if (login) byId('login-link').href = login;
    byId('login').hidden = false;
    byId('board').hidden = true;
    byId('summary').textContent = byId('asof').textContent = '';
  };

  const poll = async () => {
    if (busy || document.hidden) return;
    busy = true;
    last = Date.now();
    try {
      const answer = await fetch('/api/board', { headers: { Accept: 'application/json' }, cache: 'no-store' });
      if (answer.status === 401) askToSignIn(await answer.json());
      else if (!answer.ok) throw new Error(answer.status);
      else {
        show(await answer.json());
        seenAt = new Date();
      }
      byId('stale').hidden = true;
    } catch (error) {
      byId('stale').textContent = seenAt ? `No connection. Showing the board as of ${clock(seenAt)}.`
        : 'Can’t load the board. Trying again every 30 seconds.';
      byId('stale').hidden = false;
    } finally {
      busy = false;
    }
  };

  setInterval(poll, EVERY_MS);
  document.addEventListener('visibilitychange', () => Date.now() - last > EVERY_MS && poll());
  poll();
}
