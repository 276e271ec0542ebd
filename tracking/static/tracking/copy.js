// Copies what a button's data-copy holds, and says so on the button.
document.addEventListener('click', async (event) => {
  const button = event.target.closest('[data-copy]');
  if (!button) return;
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    const label = button.textContent;
    button.textContent = button.dataset.copied;
    setTimeout(() => { button.textContent = label; }, 2000);
  } catch (error) {
    // No clipboard without https: select the link instead, ready for the keyboard.
    getSelection().selectAllChildren(button.previousElementSibling);
  }
});
