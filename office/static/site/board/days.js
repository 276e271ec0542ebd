// The bar above the board: the day, what it holds, and the way to other days.
{
  const { byId, make, count } = Board;
  const href = Board.addressOf;
  const weekday = (day) => Board.longDay(day).split(',')[0];

  const summary = () => {
    const jobs = Object.values(Board.doc.cards);
    const number = (name) => jobs.filter((job) => job[name]).length;
    const [late, held, due] = ['late', 'on_hold', 'due_back'].map(number);
    if (!jobs.length) return 'No jobs on this day. New bookings appear here automatically.';
    return [count(jobs.length, 'job'), late && `${late} late`, held && `${held} on hold`,
      due && `${due} due back`].filter(Boolean).join(' · ');
  };

  const dayLink = ({ day, jobs, units, room }) => {
    const link = make('a', { href: href(day) }, make('span', { textContent: Board.shortDay(day) }),
      make('meter', { value: units, max: Math.max(room, units, 1), ariaHidden: 'true' }), make('small', { textContent: String(jobs) }));
    link.ariaLabel = `${Board.longDay(day)}: ${count(jobs, 'job')}, ${units} of ${count(room, 'unit')}`;
    if (day === Board.doc.today) link.classList.add('today');
    if (room && units > room) link.classList.add('over');
    if (day === Board.doc.day) link.setAttribute('aria-current', 'date');
    return link;
  };

  const put = (id, text) => { if (byId(id).textContent !== text) byId(id).textContent = text; };

  Board.drawBar = () => {
    const { day, today, week } = Board.doc;
    const title = `${day === today ? 'Today' : weekday(day)}, ${Board.briefDay(day)}`;
    put('title', title);
    put('summary', summary());
    document.title = `${title} · Board`;
    byId('before').href = href(Board.dayAfter(day, -1));
    byId('after').href = href(Board.dayAfter(day, 1));
    const look = JSON.stringify([week, day, today]);
    if (byId('week').dataset.look === look) return;
    byId('week').dataset.look = look;
    const at = [...byId('week').children].indexOf(document.activeElement);
    byId('week').replaceChildren(...week.map(dayLink));
    if (at >= 0) byId('week').children[at].focus({ preventScroll: true });
  };

  // Show another day, under an address of its own; '' is today.
  Board.go = (day) => {
    history.pushState(null, '', href(day === (Board.doc && Board.doc.today) ? '' : day));
    Board.open();
  };

  byId('days').addEventListener('click', (event) => {
    const link = event.target.closest('a');
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    Board.go(new URL(link.href).searchParams.get('day'));
  });
  addEventListener('popstate', () => Board.open());
  byId('print').addEventListener('click', () => print());
}
