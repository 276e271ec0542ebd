// The menu of a card: everything that can be done with the job.
{
  const { byId, make } = Board;
  const box = byId('menu');

  const item = (does, text, values = {}, hint = '') => {
    const made = make('button', { type: 'button', role: 'menuitem', tabIndex: -1 }, make('span', { textContent: text }), hint && make('kbd', { textContent: hint }));
    made.dataset.does = does;
    Object.assign(made.dataset, values);
    return made;
  };
  const link = (href, text) => make('a', { href, role: 'menuitem', tabIndex: -1, textContent: text });
  const group = (title, ...items) => {
    const made = make('div', { role: 'group', ariaLabel: title }, make('p', { textContent: title, ariaHidden: 'true' }), ...items);
    return made.children.length > 1 && made;
  };

  const crews = (card) => Board.crews().map(({ code, title, crew }, index) =>
    (crew !== card.crew) && item('assign', title, { code }, index < 9 ? String(index + 1) : ''));

  const order = (id) => {
    const column = Board.columns().find(({ crew, jobs }) => crew && jobs.includes(id));
    if (!column) return [];
    const at = column.jobs.indexOf(id);
    return [at > 0 && item('up', 'Earlier in the run'), at < column.jobs.length - 1 && item('down', 'Later in the run')];
  };

  const place = (id, card) => group('Crew', ...crews(card),
    card.crew && item('assign', 'No crew', { code: 'unassigned' }, '0'),
    ...order(id));

  const changes = (card) => group('Change',
    item('window', 'Window…', {}, 'W'), item('price', 'Price…', {}, 'P'),
    card.on_hold ? item('unhold', 'Take off hold', {}, 'H') : item('hold', 'Put on hold…', {}, 'H'),
    card.back && item('back', `Back to ${card.back.label}…`),
    card.may_cancel && item('cancel', 'Cancel the job…'));

  const customer = (card) => group('Customer',
    card.phone && link(`tel:${card.phone}`, `Call ${card.phone_text}`),
    card.phone && link(`sms:${card.phone}`, 'Text'),
    card.email && link(`mailto:${card.email}`, 'Email'),
    Board.doc.may_change && item('send_link', 'Send link again'),
    link(card.url, 'Open in the office'));

  const build = (id, card, onlyCrews) => {
    if (onlyCrews) return [place(id, card)];
    const steps = card.next.map(({ to, label }, index) => item('step', label, { to }, index ? '' : 'N'));
    return Board.doc.may_change ? [group('Step', ...steps), place(id, card), changes(card), customer(card)] : [customer(card)];
  };

  const position = (anchor) => {
    if (Board.narrow.matches || !anchor) return;
    const at = anchor.getBoundingClientRect(), { offsetWidth, offsetHeight } = box;
    box.style.left = `${Math.max(8, Math.min(at.left, innerWidth - offsetWidth - 8))}px`;
    box.style.top = `${Math.max(8, Math.min(at.bottom + 4, innerHeight - offsetHeight - 8))}px`;
  };

  Board.showMenu = (id, anchor, onlyCrews = false) => {
    box.dataset.id = id;
    box.ariaLabel = Board.card(id).name;
    box.replaceChildren(...build(id, Board.card(id), onlyCrews).filter(Boolean));
    if (!box.matches(':popover-open')) box.showPopover();
    box.removeAttribute('style');
    position(anchor);
    box.querySelector('[role=menuitem]').focus();
  };

  const items = () => [...box.querySelectorAll('[role=menuitem]')];
  const close = () => {
    box.hidePopover();
    if (document.activeElement === document.body) Board.focus(box.dataset.id, 'menu');
  };

  const to = (index) => { const all = items(); all[(index + all.length) % all.length].focus(); };
  const byLetter = (key) => {
    const all = items(), at = all.indexOf(document.activeElement);
    const found = [...all.slice(at + 1), ...all].find(({ textContent }) => textContent.toLowerCase().startsWith(key));
    if (found) found.focus();
  };
  // A digit or a letter that the menu shows.
  const byHint = (key) => {
    const found = items().find((one) => one.querySelector('kbd') && one.querySelector('kbd').textContent.toLowerCase() === key);
    if (found) found.click();
    else byLetter(key);
  };

  box.addEventListener('click', close);
  box.addEventListener('keydown', (event) => {
    const at = items().indexOf(document.activeElement), { key } = event;
    if (key === 'Tab' || key === 'Escape') close();
    else if (key === 'ArrowDown') to(at + 1);
    else if (key === 'ArrowUp') to(at - 1);
    else if (key === 'Home' || key === 'End') to(key === 'Home' ? 0 : -1);
    else if (key.length === 1 && key !== ' ' && !event.ctrlKey && !event.metaKey) byHint(key.toLowerCase());
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
}
