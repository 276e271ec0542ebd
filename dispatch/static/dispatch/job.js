// The job page: Enter in the field of a reason presses the button beside it, not Save.
document.addEventListener('keydown', (event) => {
  const place = event.target.closest?.('[data-enter]');
  if (event.key !== 'Enter' || !place || event.target.tagName !== 'INPUT') return;
  event.preventDefault();
  event.target.form.querySelector(`button[name=${place.dataset.enter}]`).click();
});
