// Booking by phone: finds the customer while one types, and shows price and windows at once.
const page = document.querySelector('.job-booking');
const form = page.closest('form');
const part = (name) => page.querySelector(`[data-${name}]`);
const field = (name) => form.elements[name];
const MIN_DIGITS = 7;
const WAIT = 150; // milliseconds without a key

for (const element of page.querySelectorAll('[data-without-script]')) element.hidden = true;

// Calls `act` once no further call has come for a while; an answer that is overtaken is dropped.
const settled = (act) => {
  let timer, aborting;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(async () => {
      aborting?.abort();
      aborting = new AbortController();
      try { await act(aborting.signal); } catch (error) {
        if (error.name !== 'AbortError') part('status').textContent = 'No answer. Type it in, or try again.';
      }
    }, WAIT);
  };
};
const ask = async (address, options) => {
  const answer = await fetch(address, { headers: { 'X-CSRFToken': field('csrfmiddlewaretoken').value }, ...options });
  if (!answer.ok) throw new Error(answer.status);
  return answer.json();
};

// The customer of the phone.
let choices = [];
const take = ({ fields }) => {
  for (const [name, value] of Object.entries(fields)) if (value || name === 'unit') field(name).value = value;
  choices = [];
  part('list').replaceChildren();
  part('status').textContent = 'Filled in as the last time. Check how much it is.';
  field('load_size').focus();
  offer();
};
const showChoices = (customers) => {
  choices = customers.flatMap(({ label, fields, places }) => places.length
    ? places.map((place) => ({ label: `${label}: ${place.label}`, fields: place.fields })) : [{ label, fields }]);
  part('list').replaceChildren(...choices.map((choice) => {
    const button = Object.assign(document.createElement('button'), { type: 'button', textContent: choice.label });
    button.addEventListener('click', () => take(choice));
    const item = document.createElement('li');
    item.append(button);
    return item;
  }));
};
const digits = () => field('phone').value.replace(/\D/g, '').length;
const find = settled(async (signal) => {
  if (digits() < MIN_DIGITS) { showChoices([]); part('status').textContent = ''; return; }
  const body = new URLSearchParams({ phone: field('phone').value });
  const { customers } = await ask(page.dataset.known, { method: 'POST', body, signal });
  showChoices(customers);
  part('status').textContent = choices.length ? 'Known. Enter takes the first.' : 'No customer has this phone yet.';
});
field('phone').addEventListener('input', find);
field('phone').addEventListener('keydown', (event) => {
  if (event.key !== 'Enter' || !choices.length) return;
  event.preventDefault();
  take(choices[0]);
});
// The theme's scripts may take the focus first.
if (!field('phone').value) field('phone').focus();

// What the firm offers.
const chip = ({ id, label }, chosen) => {
  const radio = Object.assign(document.createElement('input'), { type: 'radio', name: 'free_window', value: id });
  radio.checked = String(id) === chosen;
  const element = Object.assign(document.createElement('label'), { className: 'job-chip' });
  element.append(radio, ` ${label}`);
  return element;
};
const offer = settled(async (signal) => {
  const query = new URLSearchParams({
    service: field('service').value, load: field('load_size').value,
    days: field('rental_days').value, zip: field('zip_code').value,
  });
  const { price, note, windows } = await ask(`${page.dataset.offer}?${query}`, { signal });
  const chosen = form.querySelector('[name=free_window]:checked')?.value ?? '';
  const gone = chosen && !windows.some(({ id }) => String(id) === chosen);
  part('price').textContent = price;
  part('note').textContent = gone ? `${note} The chosen window has no room for this.`.trim() : note;
  part('windows').replaceChildren(...[{ id: '', label: 'No window yet' }, ...windows].map((one) => chip(one, gone ? '' : chosen)));
});
for (const name of ['service', 'load_size']) field(name).addEventListener('change', offer);
for (const name of ['rental_days', 'zip_code']) field(name).addEventListener('input', offer);
