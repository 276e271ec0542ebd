// Questions: one dialog that asks for what an act needs, in as few clicks as it takes.
{
  const { byId, make } = Board;
  let serial = 0;

  const control = ({ type, options, ...field }) => {
    if (type !== 'select') return make('input', { type: type || 'text', ...field });
    return make('select', field, ...options.map(([value, textContent]) => make('option', { value, textContent })));
  };

  const fieldNode = ({ label, ...field }) => {
    serial += 1;
    const id = `ask-${serial}`, input = control({ autocomplete: 'off', ...field, id });
    return make('div', { className: 'field' }, make('label', { htmlFor: id, textContent: label }), input);
  };

  const buttons = (choices, className) => choices.map(({ name, value, text }, index) =>
    make('button', { className: `${className}${index || className !== 'button' ? '' : ' first'}`, name: name || '', value: value || '', textContent: text, formNoValidate: className === 'choice' }));

  const build = ({ title, lines = [], choices = [], fields = [], more, submits = [{ text: 'Save' }] }) => {
    const form = make('form', { method: 'dialog' }), close = make('button', { type: 'button', className: 'quick', textContent: 'Close' });
    close.addEventListener('click', () => byId('ask').close());
    form.append(make('h2', { textContent: title }), ...lines.filter(Boolean).map((textContent) => make('p', { textContent })));
    const inputs = make('div', { className: 'fields' }, ...fields.map(fieldNode));
    const act = (...parts) => make('div', { className: 'act' }, ...parts);
    if (!choices.length) form.append(inputs, act(...buttons(submits, 'button'), close));
    else {
      form.append(make('div', { className: 'choices' }, ...buttons(choices, 'choice')),
        make('details', {}, make('summary', { textContent: more }), inputs, act(...buttons(submits, 'button'))), act(close));
    }
    return form;
  };

  // Ask, and resolve to what was entered by name, or to null.
  Board.ask = (question) => new Promise((resolve) => {
    const dialog = byId('ask'), form = build(question), owner = document.activeElement && document.activeElement.closest('[data-id]');
    if (dialog.open) dialog.close();
    dialog.replaceChildren(form);
    dialog.ariaLabel = question.title;
    dialog.onclose = () => {
      resolve(null);
      if (owner && document.activeElement === document.body) Board.focus(owner.dataset.id);
    };
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      const values = new FormData(form, event.submitter);
      resolve(Object.fromEntries([...values].map(([name, value]) => [name, value.trim()])));
      dialog.close();
    });
    dialog.showModal();
    const first = form.querySelector('.choice, .fields input, .fields select');
    if (first) first.focus();
  });

  const crewOptions = () => [['', 'No crew'], ...Board.crews().map(({ crew, title }) => [String(crew), title])];
  const timeFields = (day) => [
    { name: 'day', label: 'Day', type: 'date', value: day, required: true },
    { name: 'from', label: 'From', type: 'time', required: true },
    { name: 'to', label: 'To', type: 'time', required: true },
  ];
  const reasonField = (values = {}) => ({ name: 'reason', label: 'Reason', required: true, maxLength: 200, ...values });
  const windowChoices = (windows) => windows.map(({ id, text }) => ({ name: 'window', value: String(id), text }));

  // Give what the endpoint takes for a window: one of the service windows, or times.
  const windowOf = ({ window, day, from, to }) =>
    (window ? { window: Number(window) } : { start: `${day}T${from}`, end: `${day}T${to}` });

  Board.fieldsFor = { timeFields, reasonField, windowChoices, windowOf };

  const MISSING = {
    window: () => timeFields(Board.doc.day),
    crew: () => [{ name: 'crew', label: 'Crew', type: 'select', options: crewOptions() }],
    on_hold: () => [],
    price: () => [{ name: 'price', label: 'Price', placeholder: '340 all-in', required: true }],
    reason: () => [reasonField()],
    side: () => [{ name: 'side', label: 'Who cancels?', type: 'select', options: [['customer', 'The customer'], ['firm', 'We do']] }],
  };

  // A window on another day needs a reason; the day of the window itself is a matter of the window.
  const NAMES = { window_start: 'window', window_end: 'window', price_text: 'price', text: 'price', hold_reason: 'reason' };
  const nameOf = ({ code, field }) => (code === 'other-day' ? 'reason' : NAMES[field] || field);

  // What to send again: without what belongs to the first attempt, and with what was missing.
  const repeat = ({ key, revision, run_revision, ...body }, values, fields) => {
    const again = { ...body };
    if (fields.includes('window')) {
      for (const name of ['window', 'start', 'end']) delete again[name];
      Object.assign(again, windowOf(values));
    }
    if (fields.includes('crew')) again.crew = Number(values.crew) || null;
    if (fields.includes('price')) again[body.act === 'price' ? 'text' : 'price'] = values.price;
    for (const name of ['reason', 'side']) if (fields.includes(name)) again[name] = values[name];
    return again;
  };

  const fieldsOf = (name, windows, alone) => {
    if (name !== 'window' || alone || !windows.length) return MISSING[name]();
    return [{ name: 'window', label: 'Window', type: 'select', options: windows.map(({ id, text }) => [String(id), text]) }];
  };

  // Ask for what the server found missing, and do again what was refused.
  Board.askMissing = async (found, body, look) => {
    const missing = found.missing && found.missing.length ? found.missing : [found];
    const fields = [...new Set(missing.map(nameOf))], windows = found.windows || [];
    if (fields.some((name) => !MISSING[name])) return Board.trouble({ ...found, job: body.job });
    const onlyWindow = fields.length === 1 && fields[0] === 'window';
    const values = await Board.ask({
      title: found.error, lines: [found.hint],
      choices: onlyWindow ? windowChoices(windows) : [], more: 'Another time',
      fields: fields.flatMap((name) => fieldsOf(name, windows, onlyWindow)),
      submits: [{ text: look.label || 'Save' }],
    });
    if (!values) return null;
    if (fields.includes('on_hold') && !await Board.act({ act: 'unhold', job: body.job }, { label: 'Taking off hold' })) return null;
    return Board.act(repeat(body, values, fields), look);
  };
}
