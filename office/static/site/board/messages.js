// What the page says: what was done, with a way to undo it for 10 seconds, and what went wrong.
{
  const { byId, make } = Board;
  const SHOWN_MS = 10e3;
  let undo = null, timer = 0;

  const hide = () => {
    const toast = byId('toast');
    // Time does not run out under the pointer or the focus.
    if (toast.matches(':hover, :focus-within')) {
      timer = setTimeout(hide, 1e3);
      return;
    }
    toast.classList.remove('shown');
    byId('undo').hidden = true;
    undo = null;
  };

  // Say what was done. `undoing` is what to call to undo it.
  Board.say = (text, undoing = null) => {
    clearTimeout(timer);
    undo = undoing;
    byId('said').textContent = text;
    byId('undo').hidden = !undoing;
    byId('toast').classList.add('shown');
    timer = setTimeout(hide, SHOWN_MS);
  };

  Board.undo = () => {
    const undoing = undo;
    undo = null;
    byId('undo').hidden = true;
    if (undoing) undoing();
    else Board.say('There is nothing to undo now.');
  };
  byId('undo').addEventListener('click', Board.undo);

  const changeText = ({ field, label, before, after, actor }) =>
    `${actor} changed ${label || field}: ${before || 'nothing'} → ${after || 'nothing'}`;

  // Show what went wrong until it is closed: {error, hint, changes, job, again}.
  Board.trouble = ({ error, hint, changes = [], job, again }) => {
    const close = () => byId('trouble').replaceChildren();
    const button = (textContent, run) => {
      const made = make('button', { type: 'button', className: 'quick', textContent });
      made.addEventListener('click', () => { close(); run(); });
      return made;
    };
    byId('toast').classList.remove('shown');
    byId('trouble').replaceChildren(
      make('p', {}, make('b', { textContent: error || 'That did not work.' })),
      ...(changes.length ? [make('ul', {}, ...changes.map((change) => make('li', { textContent: changeText(change) })))] : []),
      ...(hint ? [make('p', { textContent: hint })] : []),
      make('div', { className: 'buttons' }, again && button('Try again', again),
        job && button('Show job', () => Board.showSide(job)), button('Close', () => job && Board.focus(job))),
    );
  };
}
