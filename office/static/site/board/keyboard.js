// The keys. Those of a card work while the focus is on it, so that they disturb nothing else.
{
  const { byId } = Board;
  let held = null; // a card that was picked up: {id, column, index}

  const lists = () => [...document.querySelectorAll('.cards')].filter((list) => list.checkVisibility());
  const focusAt = (list, index) => {
    const node = list && list.children[Math.max(0, Math.min(index, list.children.length - 1))];
    if (node) node.querySelector('button, a').focus();
    return Boolean(node);
  };

  const step = (item, by) => {
    const list = item.parentNode;
    return focusAt(list, [...list.children].indexOf(item) + by);
  };
  // The nearest column that has cards, at about the same height.
  const across = (item, by) => {
    const all = lists(), index = [...item.parentNode.children].indexOf(item);
    for (let at = all.indexOf(item.parentNode) + by; all[at]; at += by) if (focusAt(all[at], index)) return;
  };

  // Unassigned first: it is what a dispatcher comes for.
  const enter = () => {
    const all = lists();
    return [all.find(({ dataset }) => dataset.column === 'unassigned'), ...all].some((list) => focusAt(list, 0));
  };

  const places = () => Board.columns().filter(({ crew, code }) => crew || code === 'unassigned');
  const show = () => {
    const column = places()[held.column], jobs = column.jobs.filter((job) => job !== held.id);
    held.index = Math.max(0, Math.min(held.index, jobs.length));
    Board.pending.set(held.id, { held: true, column: column.code, before: jobs[held.index] || null });
    Board.draw();
    Board.focus(held.id);
    Board.node(held.id).scrollIntoView({ block: 'nearest', inline: 'nearest' });
    Board.say(`${column.title}, ${held.index + 1} of ${jobs.length + 1}`);
  };

  const pickUp = (id) => {
    if (!Board.movable(id)) return Board.say('This card can’t be moved.');
    const column = places().findIndex(({ jobs }) => jobs.includes(id));
    held = { id, column, index: places()[column].jobs.indexOf(id) };
    show();
    Board.say(`Picked up ${Board.card(id).name}. Arrows move it, Space drops it, Escape leaves it where it was.`);
    return null;
  };

  const putDown = (drop) => {
    const { id } = held, { column, before } = Board.pending.get(id) || {};
    held = null;
    Board.pending.delete(id);
    if (drop && column) Board.move(id, column, before);
    else Board.say('Left where it was.');
    Board.draw();
    Board.focus(id);
  };

  const HELD = {
    ArrowUp: () => { held.index -= 1; show(); },
    ArrowDown: () => { held.index += 1; show(); },
    ArrowLeft: () => { held.column = Math.max(0, held.column - 1); show(); },
    ArrowRight: () => { held.column = Math.min(places().length - 1, held.column + 1); show(); },
    ' ': () => putDown(true),
    Enter: () => putDown(true),
    Escape: () => putDown(false),
  };

  const assign = (id, key) => {
    const to = key === '0' ? Board.column('unassigned') : Board.crews()[Number(key) - 1];
    if (to) Board.do.assign(id, { code: to.code });
    else Board.say(`There are only ${Board.count(Board.crews().length, 'crew')}.`);
  };

  const CARD = {
    ' ': pickUp,
    m: (id) => Board.showMenu(id, document.activeElement),
    n: (id) => Board.do.step(id, {}),
    w: (id) => Board.do.window(id),
    p: (id) => Board.do.price(id),
    h: (id) => Board.do[Board.card(id).on_hold ? 'unhold' : 'hold'](id),
  };
  const MOVES = { ArrowUp: [step, -1], ArrowDown: [step, 1], ArrowLeft: [across, -1], ArrowRight: [across, 1] };

  const onCard = (item, key) => {
    const id = Number(item.dataset.id), focus = document.activeElement;
    if (MOVES[key]) MOVES[key][0](item, MOVES[key][1]);
    else if (!item.matches('.card') || !Board.doc.may_change) return false;
    else if (/^\d$/.test(key)) assign(id, key);
    else if (key === ' ' ? focus.matches('.name') : CARD[key]) CARD[key](id);
    else return false;
    return true;
  };

  const PAGE = {
    '/': () => byId('find').focus(),
    '[': () => Board.go(Board.dayAfter(Board.doc.day, -1)),
    ']': () => Board.go(Board.dayAfter(Board.doc.day, 1)),
    t: () => Board.go(''),
    u: () => Board.undo(),
    '?': () => byId('help').showModal(),
    Escape: () => byId('trouble').replaceChildren(),
  };
  const anywhere = (key) => {
    if (PAGE[key]) PAGE[key]();
    else if (!document.activeElement.matches('body, #title') || !MOVES[key]) return false;
    else return enter();
    return true;
  };

  document.addEventListener('keydown', (event) => {
    const { target, ctrlKey, metaKey, altKey } = event;
    if (!Board.doc || ctrlKey || metaKey || altKey || document.querySelector('dialog:modal')) return;
    if (target.matches('input, select, textarea') || event.defaultPrevented) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const item = target.closest('.card, .need');
    const done = held ? HELD[key] && (HELD[key](), true) : (item && onCard(item, key)) || anywhere(key);
    if (done) event.preventDefault();
  });
  // A button acts on Space when the key comes up.
  document.addEventListener('keyup', (event) => {
    if (event.key === ' ' && event.target.matches('.card .name') && Board.doc && Board.doc.may_change) event.preventDefault();
  });
  document.addEventListener('pointerdown', () => held && putDown(false));
  byId('keys').addEventListener('click', () => byId('help').showModal());
}
