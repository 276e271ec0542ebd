// Columns: shows the document, with what is pending where it is going. Elements that stay the same
// stay in place, so focus and scroll positions survive.
{
  const { byId, make, count } = Board;
  const parts = new Map();
  let current = '';

  const moved = (columns, id, { column, before }) => {
    for (const one of columns) one.jobs = one.jobs.filter((job) => job !== id);
    const { jobs } = columns.find(({ code }) => code === column);
    const at = jobs.indexOf(before);
    jobs.splice(at < 0 ? jobs.length : at, 0, id);
  };

  Board.columns = () => {
    const columns = Board.doc.columns.map((column) => ({ ...column, jobs: [...(column.jobs || [])] }));
    const codes = columns.map(({ code }) => code);
    for (const [id, pending] of Board.pending) if (codes.includes(pending.column)) moved(columns, id, pending);
    return columns;
  };

  // Keep a move that the server has confirmed, until its next document.
  Board.keep = () => { Board.doc.columns = Board.columns(); };

  const newPart = (code) => {
    const part = make('section', { className: 'column', id: `column-${code}` });
    const list = make('ul', { className: 'cards' });
    const head = make('div', { className: 'head' });
    list.dataset.column = code;
    part.append(head, list);
    return { part, head, list, look: '' };
  };

  const drawHead = (known, column, size) => {
    const look = JSON.stringify([column.title, column.units, column.sheet, column.link, size]);
    if (known.look === look) return;
    known.look = look;
    const title = make('h2', { textContent: column.title }, make('span', { className: 'size', textContent: String(size) }));
    const links = [
      column.units !== undefined && make('span', { textContent: count(column.units, 'unit') }),
      column.sheet && make('a', { href: column.sheet, textContent: 'Run sheet', ariaLabel: `Run sheet of ${column.title}` }),
      column.link && make('a', { href: column.link, textContent: 'Crew’s link', ariaLabel: `Link for ${column.title}` }),
    ];
    known.head.replaceChildren(title, ...(links.some(Boolean) ? [make('p', { className: 'links' }, ...links.filter(Boolean))] : []));
  };

  const fill = (list, nodes) => {
    const kept = new Set(nodes);
    for (const node of [...list.children]) if (!kept.has(node)) node.remove();
    nodes.forEach((node, index) => {
      if (list.children[index] !== node) list.insertBefore(node, list.children[index] || null);
    });
  };

  const moreNode = (more) => make('li', { className: 'soft', textContent: `and ${more} more, once these are done` });

  const drawColumn = (column) => {
    const known = parts.get(column.code) || newPart(column.code);
    parts.set(column.code, known);
    const nodes = column.needs ? column.needs.map(Board.needNode) : column.jobs.map(Board.cardNode);
    if (column.more) nodes.push(moreNode(column.more));
    drawHead(known, column, nodes.length + (column.more ? column.more - 1 : 0));
    known.part.classList.toggle('run', Boolean(column.crew));
    known.part.classList.toggle('current', column.code === current);
    fill(known.list, nodes);
    return known.part;
  };

  // On a phone there is one column at a time.
  const drawSwitch = (columns) => {
    const look = JSON.stringify(columns.map(({ code, title, jobs, needs }) => [code, title, (needs || jobs).length, code === current]));
    if (byId('switch').dataset.look === look) return;
    byId('switch').dataset.look = look;
    fill(byId('switch'), columns.map(({ code, title, jobs, needs }) => {
      const found = byId('switch').querySelector(`[data-code="${code}"]`) || make('button', { type: 'button' });
      found.dataset.code = code;
      found.replaceChildren(title, make('span', { className: 'size', textContent: String((needs || jobs).length) }));
      found.setAttribute('aria-pressed', code === current);
      return found;
    }));
  };

  Board.showColumn = (code) => {
    current = code;
    Board.draw();
    byId('switch').querySelector(`[data-code="${code}"]`).scrollIntoView({ inline: 'center', block: 'nearest' });
  };

  const focused = () => {
    const element = document.activeElement, owner = element && element.closest('.card, .need');
    return owner && { element, id: owner.dataset.id, does: element.dataset.does, to: element.dataset.to };
  };

  Board.draw = () => {
    if (!Board.doc || Board.frozen) return;
    const before = focused(), columns = Board.columns();
    if (!columns.some(({ code }) => code === current)) current = columns[0].needs && columns[0].needs.length ? columns[0].code : columns[1].code;
    drawSwitch(columns);
    fill(byId('board'), columns.map(drawColumn));
    const codes = new Set(columns.map(({ code }) => code));
    for (const code of parts.keys()) if (!codes.has(code)) parts.delete(code);
    if (!before || document.activeElement === before.element) return;
    Board.focus(before.id, before.does, before.to);
    // The card has left what is shown: do not send the focus to the start of the page.
    if (document.activeElement === document.body) byId('title').focus({ preventScroll: true });
  };

  byId('switch').addEventListener('click', ({ target }) => {
    const chosen = target.closest('[data-code]');
    if (chosen) Board.showColumn(chosen.dataset.code);
  });
}
