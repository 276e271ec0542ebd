// What can be done with a job, by name; the card's buttons, its menu, the keys and the panel use it.
{
  const { reasonField, timeFields, windowChoices, windowOf } = Board.fieldsFor;
  const HOURS = [['1', '1 hour'], ['4', '4 hours'], ['24', '1 day'], ['72', '3 days']];

  // Fetch all about a job. Resolves to null if that is not possible.
  Board.details = async (id) => {
    try {
      const answer = await fetch(`/api/board/jobs/${id}`, { headers: { Accept: 'application/json' }, cache: 'no-store' });
      const found = await answer.json();
      if (answer.status === 401) Board.askToSignIn(found);
      else if (!answer.ok) Board.trouble({ error: 'This job can’t be shown.', ...found });
      else {
        Board.others[id] = found.card;
        return found;
      }
    } catch (error) {
      Board.trouble({ error: 'This job can’t be loaded.', hint: 'Check the connection, then try again.' });
    }
    return null;
  };

  const columnOf = (id) => Board.columns().find(({ jobs }) => jobs.includes(id));
  const follower = ({ jobs }, id) => jobs[jobs.indexOf(id) + 1] || null;

  // Whether a card can be dragged: it is unassigned or in a run, and the user may change it.
  Board.movable = (id) => {
    const column = columnOf(id);
    return Boolean(Board.doc.may_change && column && (column.crew || column.code === 'unassigned'));
  };

  // Put a job before another one (null is last) of a column: of its own, or of another crew.
  Board.move = (id, code, before = null) => {
    const [to, from] = [Board.column(code), columnOf(id)];
    if (from && from.code === code) {
      if (!to.crew || follower(from, id) === before || !to.jobs.includes(id)) return Board.draw();
      const back = follower(from, id);
      const undo = () => Board.move(id, code, back);
      return Board.act({ act: 'order', job: id, before }, { label: 'Moving', column: code, before, undo });
    }
    const look = from ? { label: to.crew ? `To ${to.title}` : 'To no crew', column: code, before } : { label: 'Assigning' };
    return Board.act({ act: 'assign', job: id, crew: to.crew || null, before: to.crew ? before : null }, look);
  };

  const assign = (id, code) => {
    const card = Board.card(id), to = Board.column(code);
    if (card.crew === (to.crew || null)) return Board.say(to.crew ? `${card.name} is already with ${to.title}.` : `${card.name} has no crew.`);
    return Board.move(id, code);
  };

  const shift = (id, by) => {
    const { code, jobs } = columnOf(id), at = jobs.indexOf(id) + by;
    if (at < 0 || at >= jobs.length) return null;
    return Board.move(id, code, jobs[by < 0 ? at : at + 1] || null);
  };

  const askWindow = async (id) => {
    const look = { label: 'Finding free times' };
    Board.pending.set(id, look);
    Board.draw();
    const found = await Board.details(id);
    if (Board.pending.get(id) === look) Board.pending.delete(id);
    Board.draw();
    if (!found) return;
    const wish = found[Board.data.wish], { card } = found;
    const values = await Board.ask({
      title: `Window for ${card.name}`,
      lines: [wish && `Asked for: ${wish}`, card.window && `Now: ${Board.windowText(card.window)}`],
      choices: windowChoices(found.windows), more: 'Another time', fields: timeFields(Board.doc.day),
    });
    if (values) Board.act({ act: 'window', job: id, ...windowOf(values) }, { label: 'Saving the window' });
  };

  // Ask, then do it.
  const asking = (act, label, question) => async (id) => {
    const values = await Board.ask(question(Board.card(id)));
    return values && Board.act({ act, job: id, ...values }, { label });
  };

  const need = async (id, { rule }) => {
    const { action } = Board.column('needs').needs.find((one) => one.rule === rule && (!id || one.job === id));
    if (id && !Board.card(id) && !await Board.details(id)) return null;
    if (action.act === 'assign') return Board.showMenu(id, document.activeElement, true);
    // A request gets its window with its first step.
    if (action.act === 'step' || (action.act === 'window' && !Board.card(id).window)) return Board.do.step(id, { to: action.to });
    if (Board.do[action.act]) return Board.do[action.act](id);
    location.assign(action.url);
    return null;
  };

  Board.do = {
    open: (id) => Board.showSide(id),
    menu: (id) => Board.showMenu(id, document.activeElement),
    step: (id, { to }) => {
      const { next } = Board.card(id), step = next.find((one) => one.to === to) || next[0];
      return step && Board.act({ act: 'step', job: id, to: step.to }, { label: step.label });
    },
    assign: (id, { code }) => assign(id, code),
    up: (id) => shift(id, -1),
    down: (id) => shift(id, 1),
    window: askWindow,
    price: asking('price', 'Saving the price', ({ name, price }) => ({
      title: `Price for ${name}`, lines: [price && `Now: ${price}`],
      fields: [{ name: 'text', label: 'Price', placeholder: '340 all-in', required: true }, ...(price ? [reasonField()] : [])],
    })),
    hold: asking('hold', 'Putting on hold', ({ name }) => ({ title: `Put ${name} on hold`, fields: [reasonField()], submits: [{ text: 'Put on hold' }] })),
    unhold: (id) => Board.act({ act: 'unhold', job: id }, { label: 'Taking off hold' }),
    back: asking('back', 'Stepping back', ({ back }) => ({
      title: `Back to ${back.label}`, lines: ['The customer gets no message about it.'], fields: [reasonField()], submits: [{ text: 'Step back' }],
    })),
    cancel: asking('cancel', 'Cancelling', ({ name }) => ({
      title: `Cancel the job of ${name}`, fields: [reasonField()],
      submits: [{ name: 'side', value: 'customer', text: 'Customer cancels' }, { name: 'side', value: 'firm', text: 'We cancel' }],
    })),
    send_link: (id) => Board.act({ act: 'send_link', job: id }, { label: 'Sending the link' }),
    need,
    snooze: async (id, { rule }) => {
      const fields = [{ name: 'hours', label: 'Remind me in', type: 'select', options: HOURS }, reasonField()];
      const values = await Board.ask({ title: 'Not now', lines: ['It leaves this list until then, for everyone.'], fields });
      if (values) Board.act({ act: 'snooze', job: id, rule, reason: values.reason, hours: Number(values.hours) }, { label: 'Saving' });
    },
  };

  // Do what a control says, for the job of the card, item or panel that it is in.
  document.addEventListener('click', ({ target }) => {
    const control = target.closest('[data-does]'), owner = control && control.closest('[data-id]');
    if (owner) Board.do[control.dataset.does](Number(owner.dataset.id) || null, { ...owner.dataset, ...control.dataset });
  });
}
