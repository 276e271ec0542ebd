// Cards: one element per job, made again only if the job, or what is pending with it, has changed.
{
  const { make, count, windowText } = Board;
  const drawn = new Map();

  const flags = (card, pending) => [
    pending && pending.label && make('span', { className: 'chip saving', textContent: `${pending.label}…` }),
    !(pending && pending.label) && make('span', { className: 'chip', textContent: card.status_label }),
    card.late && make('span', { className: 'chip alarm', textContent: card.late_by ? `Running late ${card.late_by} min` : 'Running late' }),
    card.on_hold && make('span', { className: 'chip alarm', textContent: card.hold_reason ? `On hold: ${card.hold_reason}` : 'On hold' }),
    card.due_back && make('span', { className: 'chip alarm', textContent: 'Due back' }),
    card.days_out !== null && make('span', { className: 'chip', textContent: `Out ${count(card.days_out, 'day')}` }),
    card.due_on && !card.due_back && make('span', { className: 'chip', textContent: `Due ${Board.shortDay(card.due_on)}` }),
    card.outside_windows && make('span', { className: 'chip', textContent: 'Outside windows' }),
    card.arrived && make('span', { className: 'chip good', textContent: `Arrived ${Board.momentText(card.arrived).split(', ')[1]}` }),
  ];

  // The step that comes next, and the last one that one tap can reach.
  Board.mainSteps = ({ next }) => (next.length > 1 ? [next[0], next[next.length - 1]] : next);

  const button = (does, text, className = 'quick') => {
    const made = make('button', { type: 'button', className, textContent: text });
    made.dataset.does = does;
    return made;
  };

  Board.stepButton = (step, index) => {
    const made = button('step', step.label, index ? 'quick' : 'quick main');
    made.dataset.to = step.to;
    return made;
  };

  const buttons = (card) => {
    const more = button('menu', '⋯', 'quick more');
    more.ariaLabel = `More for ${card.name}`;
    more.setAttribute('aria-haspopup', 'menu');
    const steps = Board.doc.may_change ? Board.mainSteps(card).map(Board.stepButton) : [];
    return [more, steps.length && make('div', { className: 'buttons' }, ...steps)];
  };

  const draw = (card, pending) => {
    const item = make('li', { className: 'card' });
    item.dataset.id = card.id;
    item.dataset.status = card.status;
    if (card.late || card.on_hold || card.due_back) item.classList.add('warn');
    if (pending) item.classList.add(pending.held ? 'held' : 'pending');
    if (pending && !pending.held) item.ariaBusy = 'true';
    const name = button('open', '', 'name');
    const when = card.window ? windowText(card.window, Board.doc.day) : 'No window yet';
    name.append(make('span', { className: 'when', textContent: when }), make('b', { textContent: card.name }));
    const place = [card.street, card.town].filter(Boolean).join(', ');
    const what = [card.service, card.size].filter(Boolean).join(', ');
    item.append(
      make('h3', {}, name),
      make('p', { className: 'where' }, card.phone && make('a', { className: 'phone', href: `tel:${card.phone}`, textContent: card.phone_text }),
        make('span', { textContent: place })),
      make('p', { className: 'what' }, make('span', { textContent: what }),
        make('b', { className: card.price ? '' : 'none', textContent: card.price || 'No price yet' })),
      make('p', { className: 'flags' }, ...flags(card, pending), make('span', { className: 'fact', textContent: card.number })),
      ...buttons(card).filter(Boolean),
    );
    return item;
  };

  // Give the element of a job's card.
  Board.cardNode = (id) => {
    const [card, pending] = [Board.card(id), Board.pending.get(id)];
    const look = JSON.stringify([card, pending && [pending.label, pending.held], Board.doc.day, Board.doc.may_change]);
    const known = drawn.get(id);
    if (known && known.look === look) return known.node;
    const node = draw(card, pending);
    drawn.set(id, { look, node });
    return node;
  };

  Board.needNode = (need) => {
    const card = Board.card(need.job), look = JSON.stringify([need, card && card.name, Board.doc.may_change]), key = `${need.rule} ${need.job}`, known = drawn.get(key);
    if (known && known.look === look) return known.node;
    const node = make('li', { className: 'need' });
    Object.assign(node.dataset, { rule: need.rule, id: need.job || '' });
    const row = make('div', { className: 'buttons' });
    const { act, label, url } = need.action;
    if (act === 'open') row.append(make('a', { className: 'quick main', href: url, textContent: label }));
    else if (Board.doc.may_change) row.append(button('need', label, 'quick main'));
    if (Board.doc.may_change) row.append(button('snooze', 'Later'));
    const name = need.job && button('open', '', 'name');
    if (name) name.append(make('b', { textContent: card ? card.name : 'Show job' }));
    node.append(...(name ? [make('h3', {}, name)] : []), make('p', {}, need.sentence), row);
    drawn.set(key, { look, node });
    return node;
  };

  Board.node = (id) => document.querySelector(`.card[data-id="${id}"]`);

  // Put the focus on a card, or on the control of it that had it before.
  Board.focus = (id, does = 'open', to = '') => {
    const node = Board.node(id);
    if (!node) return false;
    const same = node.querySelector(Board.controlOf(does, to));
    (same || node.querySelector('.name')).focus({ preventScroll: true });
    return true;
  };
}
