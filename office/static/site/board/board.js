// What the board's scripts share: helpers, and what the page knows. The other scripts add to it.
// A template literal in another would lose its spaces where the release leaves out white space.
const Board = (() => {
  const data = JSON.parse(document.getElementById('data').textContent);
  const now = new Intl.DateTimeFormat('en-US', { timeZone: data.zone, hour: 'numeric', minute: '2-digit' });
  const weekday = new Intl.DateTimeFormat('en-US', { timeZone: 'UTC', weekday: 'short' });
  const long = new Intl.DateTimeFormat('en-US', { timeZone: 'UTC', weekday: 'long', month: 'long', day: 'numeric' });
  const brief = new Intl.DateTimeFormat('en-US', { timeZone: 'UTC', month: 'short', day: 'numeric' });
  const noon = (day) => new Date(`${day}T12:00:00Z`);

  // The controls of a job are found again by what they do.
  const controlOf = (does, to) => `[data-does="${does}"]${to ? '[data-to="' + to + '"]' : ''}`;

  // Make an element. Children that are null or '' are left out.
  const make = (tag, values, ...children) => {
    const element = Object.assign(document.createElement(tag), values);
    element.append(...children.filter((child) => child));
    return element;
  };

  // The server's times are in the office's zone, so their text is what the clock there shows.
  const hour = (iso) => {
    const [hours, minutes] = [Number(iso.slice(11, 13)), iso.slice(14, 16)];
    const past = minutes === '00' ? '' : `:${minutes}`;
    return [`${hours % 12 || 12}${past}`, hours < 12 ? 'AM' : 'PM'];
  };
  const shortDay = (day) => `${weekday.format(noon(day))} ${Number(day.slice(8))}`;
  const windowText = ({ start, end }, here) => {
    const [[from, half], [to, otherHalf]] = [hour(start), hour(end)];
    const [day, last] = [start.slice(0, 10), end.slice(0, 10)];
    const first = day === here ? '' : `${shortDay(day)}, `;
    if (day !== last) return `${first}${from} ${half} – ${shortDay(last)}, ${to} ${otherHalf}`;
    const begins = half === otherHalf ? from : `${from} ${half}`;
    return `${first}${begins} – ${to} ${otherHalf}`;
  };

  return {
    data, make, controlOf, shortDay, windowText,
    byId: (id) => document.getElementById(id),
    count: (number, word) => `${number} ${word}${number === 1 ? '' : 's'}`,
    clock: (date) => now.format(date).replace(/\u202f/g, ' '),
    longDay: (day) => long.format(noon(day)),
    briefDay: (day) => brief.format(noon(day)),
    momentText: (iso) => `${shortDay(iso.slice(0, 10))}, ${hour(iso).join(' ')}`,
    dayAfter: (day, days) => new Date(noon(day).getTime() + days * 864e5).toISOString().slice(0, 10),
    // The day of the address, /dashboard/?day=2026-11-23 or /dashboard/2026-11-23/; '' is today.
    day: () => new URLSearchParams(location.search).get('day') || (/\/(\d{4}-\d\d-\d\d)\//.exec(location.pathname) || ['', ''])[1],
    addressOf: (day) => `/${location.pathname.split('/')[1]}/${day && '?day='}${day}`,
    narrow: matchMedia('(max-width: 48rem)'),

    doc: null, // the server's latest document
    others: {}, // cards of jobs that are not on this day, by id
    pending: new Map(), // by job: what the server has not confirmed, {label, column, before}
    offline: false,
    frozen: false, // while a card is dragged: nothing is redrawn
    card: (id) => (Board.doc && Board.doc.cards[id]) || Board.others[id],
    column: (code) => Board.doc.columns.find((column) => column.code === code),
    crews: () => Board.doc.columns.filter(({ crew }) => crew),
  };
})();
