// Copies a button's data-copy to the clipboard and confirms it in the button's text.
document.addEventListener('click', async (event) => {
  const button = event.target.closest('[data-copy]');
  if (!button) return;
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    const label = button.textContent;
    button.textContent = button.dataset.copied;
    setTimeout(() => { button.textContent = label; }, 2000);
  } catch (error) {
    // Without HTTPS there is no clipboard API: select the link so that Ctrl+C copies it.
    getSelection().selectAllChildren(button.previousElementSibling);
  }
});
