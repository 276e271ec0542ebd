// The panel beside the board: all about one job, without leaving the page. On a phone it is the page.
{
  const { byId, make, momentText, windowText } = Board;
  const panel = byId('side');
  let shown = null;

  const withReason = (text, reason) => (reason ? `${text}: ${reason}` : text);
  const section = (title, ...children) => make('section', {}, make('h3', { textContent: title }), ...children);
  const list = (rows) => make('ul', {}, ...rows);
  const row = (text, at, ...more) => make('li', {}, make('span', { textContent: text }), at && make('time', { dateTime: at, textContent: momentText(at) }), ...more);
  const fact = (title, ...content) => make('div', {}, make('dt', { textContent: title }), make('dd', {}, ...content));
  const link = (href, textContent) => make('a', { href, textContent });
  const outside = (href, textContent) => make('a', { href, textContent, target: '_blank', rel: 'noopener noreferrer' });

  const head = (card) => {
    const close = make('button', { type: 'button', className: 'tool', textContent: '×', ariaLabel: 'Close the panel' });
    close.addEventListener('click', () => hide());
    return make('header', {}, make('div', {}, make('h2', { id: 'side-title', tabIndex: -1, textContent: card.name }),
      make('p', {}, make('span', { className: 'fact', textContent: card.number }), make('span', { className: 'chip', textContent: card.status_label }))), close);
  };

  const buttons = (card) => {
    const more = make('button', { type: 'button', className: 'quick', textContent: 'More…' });
    more.dataset.does = 'menu';
    more.setAttribute('aria-haspopup', 'menu');
    return make('div', { className: 'buttons' }, ...(Board.doc.may_change ? Board.mainSteps(card).map(Board.stepButton) : []), more);
  };

  const facts = ({ card, address, map, links, ...found }) => {
    const crew = Board.crews().find((one) => one.crew === card.crew);
    const day = card.window && card.window.start.slice(0, 10);
    return make('dl', {},
      card.phone && fact('Phone', link(`tel:${card.phone}`, card.phone_text), ' ', link(`sms:${card.phone}`, 'Text')),
      card.email && fact('Email', link(`mailto:${card.email}`, card.email)),
      fact('Address', map ? outside(map, address) : address),
      fact('Window', card.window ? windowText(card.window) : 'None yet', ' ', day && day !== Board.doc.day && link(Board.addressOf(day), 'Show this day')),
      fact('Crew', crew ? crew.title : card.crew ? 'Inactive' : 'None yet'),
      fact('Service', [card.service, card.size].filter(Boolean).join(', ')),
      fact('Price', card.price || 'None yet'),
      ...Object.entries(Board.data.facts).map(([name, title]) => found[name] && fact(title, found[name])),
      fact('Links', link(card.url, 'Open in the office'), ' ', links.track && outside(links.track, 'Customer’s page')));
  };

  const photo = ({ large, small, stage }) => make('li', {}, make('a', { href: large, target: '_blank', rel: 'noopener', ariaLabel: ['Photo', stage].filter(Boolean).join(', ') },
    make('img', { src: small, alt: '', loading: 'lazy' })));

  const build = (found) => [
    head(found.card), buttons(found.card), facts(found),
    found.photos.length && section('Photos', Object.assign(list(found.photos.map(photo)), { className: 'photos' })),
    found.prices.length && section('Prices', list(found.prices.map(({ text, at, actor, reason }) => row(withReason(`${text}, ${actor}`, reason), at)))),
    found.messages.length && section('Messages', list(found.messages.map(({ event, channel, state, at, url }) => row(`${event} by ${channel}: ${state}`, at, url && link(url, 'Show'))))),
    found.events.length && section('History', list(found.events.map(({ text, at, actor, reason }) => row(withReason(`${text}, ${actor}`, reason), at)))),
  ].filter(Boolean);

  const fill = (found) => {
    const { scrollTop } = panel, inside = panel.contains(document.activeElement), { does, to } = document.activeElement.dataset;
    shown = found.card;
    panel.dataset.id = found.card.id;
    panel.ariaLabel = found.card.name;
    panel.replaceChildren(...build(found));
    panel.scrollTop = scrollTop;
    if (!inside) return;
    const same = does && panel.querySelector(Board.controlOf(does, to));
    (same || byId('side-title')).focus({ preventScroll: true });
  };

  const hide = () => {
    const { id } = panel.dataset;
    shown = null;
    panel.close();
    if (!Board.focus(id)) byId('title').focus();
  };

  Board.showSide = async (id) => {
    const found = await Board.details(id);
    if (!found) return;
    if (!panel.open) Board.narrow.matches ? panel.showModal() : panel.show();
    fill(found);
    panel.scrollTop = 0;
    byId('side-title').focus();
  };

  // The board is fresh: so is the panel, if its job has changed.
  Board.drawn = async () => {
    const card = shown && Board.card(shown.id);
    if (!panel.open || !card || card.revision === shown.revision) return;
    const found = await Board.details(card.id);
    if (found && shown && shown.id === card.id) fill(found);
  };

  panel.addEventListener('cancel', (event) => { event.preventDefault(); hide(); });
  panel.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape') return;
    event.preventDefault();
    event.stopPropagation();
    hide();
  });
}
