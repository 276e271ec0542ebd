// Sets the booking form's key, so that a form sent twice creates one job.
{
  const form = document.getElementById('booking');
  const key = form.elements.form_key;
  // randomUUID exists only in secure contexts; getRandomValues exists everywhere.
  const uuid = () => crypto.randomUUID ? crypto.randomUUID()
    : '10000000-1000-4000-8000-100000000000'.replace(/[018]/g, (digit) =>
      (digit ^ (crypto.getRandomValues(new Uint8Array(1))[0] & (15 >> (digit / 4)))).toString(16));
  if (!key.value) key.value = uuid();

  const button = form.querySelector('button');
  const label = button.textContent;
  form.addEventListener('submit', () => {
    // Wait until the submission has started: disabling the button first could stop it.
    setTimeout(() => Object.assign(button, { disabled: true, textContent: 'Sending…' }));
  });
  // The Back button may restore this page with the button still disabled.
  addEventListener('pageshow', () => Object.assign(button, { disabled: false, textContent: label }));
  const summary = document.getElementById('problems');
  if (summary) summary.focus();
}
