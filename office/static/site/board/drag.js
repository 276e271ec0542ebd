// Dragging cards, with SortableJS. Phones have the menu instead: there, a drag scrolls.
{
  const lists = new Map();
  let from = null;

  const start = ({ item }) => {
    Board.frozen = true;
    from = item.parentNode;
    document.body.classList.add('dragging');
  };

  const end = ({ item, to }) => {
    Board.frozen = false;
    document.body.classList.remove('dragging');
    const next = item.nextElementSibling;
    const before = next ? Number(next.dataset.id) : null;
    Board.move(Number(item.dataset.id), to.dataset.column, before);
    Board.focus(item.dataset.id);
  };

  const options = {
    group: 'jobs', direction: 'vertical', draggable: '.card', filter: 'a, .buttons button', preventOnFilter: false,
    animation: matchMedia('(prefers-reduced-motion: reduce)').matches ? 0 : 120,
    // The browser's own drag looks different everywhere, and touch has none.
    forceFallback: true, fallbackOnBody: true, fallbackTolerance: 4,
    delay: 250, delayOnTouchOnly: true, touchStartThreshold: 5,
    scrollSensitivity: 60, scrollSpeed: 14, onStart: start, onEnd: end,
  };

  const wanted = (list) => {
    const { column } = list.dataset, { crew } = Board.column(column) || {};
    return Board.doc.may_change && !Board.narrow.matches && Boolean(crew || column === 'unassigned');
  };

  // Make a list sortable once the pointer comes near it: fifty at once would delay the first draw.
  const prepare = () => {
    if (!Board.doc) return;
    for (const list of document.querySelectorAll('.cards')) {
      if (!lists.has(list) && wanted(list)) lists.set(list, Sortable.create(list, options));
      if (lists.has(list)) lists.get(list).option('disabled', !wanted(list));
    }
    for (const [list, sortable] of lists) if (!list.isConnected && list !== from) {
      sortable.destroy();
      lists.delete(list);
    }
  };
  document.getElementById('board').addEventListener('pointerenter', prepare);
  document.getElementById('board').addEventListener('pointerdown', prepare, { capture: true });
}
