// The booking form: its key, free times and the price, and what was typed should the site not answer.
// Without this script the application does the same in a second step.
{
  const byId = (id) => document.getElementById(id);
  const form = byId('booking');
  const field = form.elements;
  const isStatic = !field.form_key.value;
  // randomUUID exists only in secure contexts; getRandomValues exists everywhere.
  const uuid = () => crypto.randomUUID ? crypto.randomUUID()
    : '10000000-1000-4000-8000-100000000000'.replace(/[018]/g, (digit) =>
      (digit ^ (crypto.getRandomValues(new Uint8Array(1))[0] & (15 >> (digit / 4)))).toString(16));

  // Kept in this tab until the booking is made (booked.js), but for the gate code, and no photos.
  const LEFT_OUT = ['access_notes', 'website', 'price', 'form_key', 'language'];
  const KEPT = 'booking';
  const keep = () => {
    const typed = [...new FormData(form)].filter(([name, value]) =>
      typeof value === 'string' && value && !LEFT_OUT.includes(name));
    try { sessionStorage.setItem(KEPT, JSON.stringify(typed)); } catch (error) { /* full or off */ }
  };
  const restore = () => {
    let kept = [];
    try { kept = JSON.parse(sessionStorage.getItem(KEPT)) || []; } catch (error) { /* off */ }
    for (const [name, value] of kept) {
      const input = field[name];
      if (!input) continue;
      if (input.type === 'checkbox') input.checked = true;
      else if (!/choice$/.test(name)) input.value = value;
    }
    return Object.fromEntries(kept);
  };
  const kept = isStatic ? restore() : {};
  if (isStatic) field.form_key.value = uuid();

  const down = byId('down');
  const say = (place) => { place.prepend(down); down.hidden = false; };

  // The offer for the answers so far.
  const CHOICES = ['first_choice', 'second_choice', 'third_choice'];
  const isDumpster = () => (field.service.selectedOptions[0] || { dataset: {} }).dataset.kind === 'dumpster';
  const question = () => {
    const zip = field.zip_code.value.trim();
    if (!/^\d{5}(-\d{4})?$/.test(zip)) return '';
    const asked = { zip, service: field.service.value };
    if (isDumpster()) asked.days = field.rental_days.value;
    else asked.load = field.load_size.value;
    if (field.language.value !== 'en') asked.lang = field.language.value;
    return new URLSearchParams(asked).toString();
  };
  const setText = (element, text) => { if (element.textContent !== text) element.textContent = text; };
  const fill = (select, windows, wanted) => {
    const other = [...select.options].filter((option) => option.value === 'other');
    const made = windows.map(({ id, label }) => new Option(label, id));
    if (!other.length && select.name === CHOICES[0]) other.push(new Option(byId('times').dataset.other, 'other'));
    select.replaceChildren(select.options[0], ...made, ...other);
    select.value = wanted || '';
    if (select.selectedIndex < 0) select.value = '';
  };
  const show = ({ served, price, price_label, surcharge, windows }) => {
    const chosen = !!field.service.value;
    form.classList.toggle('is-outside', !served);
    byId('outside').hidden = served;
    byId('interest').elements['area-zip_code'].value = field.zip_code.value;
    for (const name of CHOICES) fill(field[name], windows, field[name].value || kept[name]);
    byId('times').hidden = !windows.length;
    byId('days').hidden = !chosen || windows.length > 0;
    byId('times-later').hidden = chosen;
    if (field.price) field.price.value = (chosen && price) || '';
    const shown = byId('offer-price');
    shown.classList.toggle('soft', !(chosen && price));
    setText(shown, chosen ? price_label || shown.dataset.none : shown.dataset.later);
    byId('offer-surcharge').hidden = !surcharge;
    if (surcharge) setText(byId('offer-surcharge').querySelector('span'), surcharge);
    down.hidden = true;
  };
  let asked = isStatic ? '' : question(), asking, timer;
  const ask = async () => {
    const query = question();
    if (!query || query === asked) return;
    asked = query;
    if (asking) asking.abort();
    asking = new AbortController();
    try {
      const answer = await fetch(`/api/v1/windows?${query}`, { signal: asking.signal, credentials: 'omit' });
      if (answer.status >= 500) throw new Error(answer.status);
      if (answer.ok) show(await answer.json());
    } catch (error) {
      if (error.name === 'AbortError') return;
      asked = '';
      say(byId('when-body'));
    }
  };
  form.addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(() => { ask(); keep(); }, 300);
  });

  const button = form.querySelector('.send button');
  const label = button.textContent;
  const ready = () => Object.assign(button, { disabled: false, textContent: label });
  let up = false;
  form.addEventListener('submit', async (event) => {
    keep();
    if (!up) {
      // The browser's own error page would lose what was typed, so look first.
      event.preventDefault();
      Object.assign(button, { disabled: true, textContent: button.dataset.sending });
      try {
        up = (await fetch('/healthz', { cache: 'no-store' })).ok;
      } catch (error) { /* not up */ }
      ready();
      if (up) return form.requestSubmit();
      say(form.querySelector('.send'));
      down.focus();
      return;
    }
    up = false;
    // Wait until the submission has started: disabling the button first could stop it.
    setTimeout(() => Object.assign(button, { disabled: true, textContent: button.dataset.sending }));
  });
  // The Back button may restore this page with the button still disabled.
  addEventListener('pageshow', () => { ready(); ask(); });
  const first = byId('problems') || byId('notice');
  if (first) first.focus();
}
