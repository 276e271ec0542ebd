// Search across all jobs, with suggestions as one types.
{
  const { byId, make, count } = Board;
  const PAUSE_MS = 150;
  const [field, box] = [byId('find'), byId('found')];
  let timer = 0, running = null, chosen = -1;

  const options = () => [...box.querySelectorAll('[role=option]')];
  const close = () => {
    clearTimeout(timer);
    box.hidden = true;
    field.ariaExpanded = 'false';
    field.removeAttribute('aria-activedescendant');
  };

  const choose = (index) => {
    const all = options();
    if (!all.length) return;
    chosen = (index + all.length) % all.length;
    all.forEach((one, at) => { one.ariaSelected = String(at === chosen); });
    all[chosen].scrollIntoView({ block: 'nearest' });
    field.setAttribute('aria-activedescendant', all[chosen].id);
  };

  const option = ({ id, number, name, phone_text: phone, address, status_label: status, window_text: when }) => {
    const made = make('div', { id: `found-${id}`, role: 'option' },
      make('b', { textContent: name }), make('span', { className: 'fact', textContent: number }),
      make('span', { textContent: [phone, address].filter(Boolean).join(' · ') }),
      make('span', { className: 'soft', textContent: [status, when].filter(Boolean).join(' · ') }));
    made.dataset.job = id;
    return made;
  };

  const show = ({ results, corrected }) => {
    const said = results.length ? [count(results.length, 'job'), 'found', corrected && `for “${corrected}”`].filter(Boolean).join(' ') : 'Nothing found. Try a part of the name, the phone number or the street.';
    byId('found-count').textContent = said;
    box.replaceChildren(...results.map(option));
    if (corrected || !results.length) box.prepend(make('p', { className: 'soft', textContent: said }));
    box.hidden = false;
    field.ariaExpanded = 'true';
    if (results.length) choose(0);
  };

  const ask = async () => {
    if (running) running.abort();
    const own = running = new AbortController(), text = field.value.trim();
    if (!text) return close();
    try {
      const answer = await fetch(`/api/board/search?q=${encodeURIComponent(text)}`, { headers: { Accept: 'application/json' }, signal: own.signal });
      const found = await answer.json();
      if (answer.status === 401) Board.askToSignIn(found);
      else if (!answer.ok) Board.trouble(found);
      else show(found);
    } catch (error) {
      if (error.name !== 'AbortError') Board.say('Can’t search: check the connection, then try again.');
    }
    return null;
  };

  const open = (index) => {
    const found = options()[index];
    close();
    if (found) Board.showSide(Number(found.dataset.job));
  };

  field.addEventListener('input', () => { clearTimeout(timer); timer = setTimeout(ask, PAUSE_MS); });
  field.addEventListener('keydown', (event) => {
    if (event.key === 'ArrowDown') choose(chosen + 1);
    else if (event.key === 'ArrowUp') choose(chosen - 1);
    else if (event.key === 'Enter' && !box.hidden) open(chosen);
    else if (event.key === 'Enter') ask();
    else if (event.key === 'Escape' && !box.hidden) close();
    else return;
    event.preventDefault();
  });
  box.addEventListener('pointerdown', (event) => event.preventDefault()); // the field keeps the focus
  box.addEventListener('click', ({ target }) => open(options().indexOf(target.closest('[role=option]'))));
  field.addEventListener('blur', close);

  Board.start();
}
