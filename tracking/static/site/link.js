// Copies and shares a job's link. Without this script it is still there to select.
{
  const link = () => document.getElementById('link');
  const show = () => {
    document.getElementById('copy').hidden = !navigator.clipboard;
    document.getElementById('share').hidden = !navigator.share;
  };
  document.addEventListener('click', async ({ target }) => {
    try {
      if (target.id === 'share') await navigator.share({ url: link().href });
      if (target.id !== 'copy') return;
      await navigator.clipboard.writeText(link().href);
      const { done } = target.dataset;
      target.dataset.done = target.textContent;
      target.textContent = done;
      setTimeout(() => { [target.textContent, target.dataset.done] = [target.dataset.done, done]; }, 2e3);
    } catch (error) { /* the customer changed their mind */ }
  });
  addEventListener('shown', show);
  if (link()) show();
}
