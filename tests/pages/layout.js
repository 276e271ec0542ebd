// Gives a list of what is cut off, covered, or wider than the page or its box.
async () => {
  // A page that a form has led to may still wait for its styles.
  if (document.readyState !== 'complete') await new Promise((done) => addEventListener('load', done));
  const wrong = [];
  const seen = (e) => e.checkVisibility({ visibilityProperty: true }) && !e.closest('.vh, .skip, .trap, [aria-hidden=true], option');
  const name = (e) => `${e.tagName.toLowerCase()}${e.id ? '#' + e.id : ''}.${String(e.className.baseVal ?? e.className).replace(/ /g, '.')} "${(e.textContent || e.name || '').trim().slice(0, 30)}"`;
  if (document.documentElement.scrollWidth > innerWidth) wrong.push(`scrolls sideways: ${document.documentElement.scrollWidth}`);
  const leaves = [];
  for (const e of document.querySelectorAll('body *')) {
    if (!seen(e)) continue;
    const style = getComputedStyle(e);
    const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
    const control = e.matches('input, select, textarea, button');
    if (own && style.overflowX !== 'visible' && e.scrollWidth > e.clientWidth + 1) wrong.push(`cut off: ${name(e)}`);
    if (!own && !control) continue;
    const range = document.createRange(); range.selectNodeContents(e);
    const boxes = control ? [e.getBoundingClientRect()] : [...e.childNodes].filter((n) => n.nodeType === 3 && n.data.trim()).flatMap((n) => { range.selectNode(n); return [...range.getClientRects()]; });
    for (const box of boxes) {
      if (box.width < 1 || box.height < 1) continue;
      if (box.left < -1 || box.right > innerWidth + 1) wrong.push(`outside: ${name(e)}`);
      leaves.push({ e, box });
    }
    // Text wider than the box that it is in.
    const outer = e.parentElement.getBoundingClientRect();
    for (const box of boxes) if (style.position === 'static' && box.right > outer.right + 2 && getComputedStyle(e.parentElement).display !== 'inline') wrong.push(`wider than its box: ${name(e)}`);
  }
  for (let i = 0; i < leaves.length; i++) for (let j = i + 1; j < leaves.length; j++) {
    const [a, b] = [leaves[i], leaves[j]];
    if (a.e === b.e || a.e.contains(b.e) || b.e.contains(a.e)) continue;
    const w = Math.min(a.box.right, b.box.right) - Math.max(a.box.left, b.box.left);
    const h = Math.min(a.box.bottom, b.box.bottom) - Math.max(a.box.top, b.box.top);
    if (w > 2 && h > 4) wrong.push(`overlap: ${name(a.e)} / ${name(b.e)} ${Math.round(w)}x${Math.round(h)}`);
  }
  return [...new Set(wrong)];
}
