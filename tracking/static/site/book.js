// Gives the booking form its key, so that one booking sent twice is one job.
{
  const form = document.getElementById('booking');
  const key = form.elements.form_key;
  // randomUUID exists in secure contexts only; getRandomValues everywhere.
  const uuid = () => crypto.randomUUID ? crypto.randomUUID()
    : '10000000-1000-4000-8000-100000000000'.replace(/[018]/g, (digit) =>
      (digit ^ (crypto.getRandomValues(new Uint8Array(1))[0] & (15 >> (digit / 4)))).toString(16));
  if (!key.value) key.value = uuid();

  const button = form.querySelector('button');
  const label = button.textContent;
  form.addEventListener('submit', () => {
    // After the submission has begun: a disabled button must not stop it.
    setTimeout(() => Object.assign(button, { disabled: true, textContent: 'Sending…' }));
  });
  // Back from the next page, the browser may show this one as it was left.
  addEventListener('pageshow', () => Object.assign(button, { disabled: false, textContent: label }));
  const summary = document.getElementById('problems');
  if (summary) summary.focus();
}
