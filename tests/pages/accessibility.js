// Gives a list of what is wrong with the page for people who see, hear or point differently.
// After the Web Content Accessibility Guidelines 2.2: 1.1.1, 1.3.1, 1.4.3, 2.4.2, 2.4.4, 2.5.8,
// 3.1.1, 3.3.2, 4.1.2. No substitute for a person, but it finds what breaks by accident.
async () => {
  // A page that a form has led to may still wait for its styles.
  if (document.readyState !== 'complete') await new Promise((done) => addEventListener('load', done));
  const wrong = [];
  const say = (what, element) => wrong.push(`${what}: ${(element.outerHTML || '').slice(0, 120)}`);
  const seen = (element) => element.checkVisibility({ visibilityProperty: true }) &&
    !element.closest('[aria-hidden=true]') && element.getBoundingClientRect().right > 0;
  const all = (selector) => [...document.querySelectorAll(selector)].filter(seen);

  if (!document.documentElement.lang) wrong.push('no language');
  if (!document.title) wrong.push('no title');
  if (all('h1').length !== 1) wrong.push(`${all('h1').length} headings of level 1`);
  if (!document.querySelector('main')) wrong.push('no main');
  let level = 0;
  for (const heading of all('h1, h2, h3, h4')) {
    const own = Number(heading.tagName[1]);
    if (own > level + 1) say('heading skips a level', heading);
    level = own;
  }
  const ids = [...document.querySelectorAll('[id]')].map(({ id }) => id);
  for (const id of new Set(ids.filter((id, index) => ids.indexOf(id) !== index))) wrong.push(`id twice: ${id}`);
  for (const element of document.querySelectorAll('[aria-describedby], [aria-labelledby]')) {
    const named = `${element.getAttribute('aria-describedby') || ''} ${element.getAttribute('aria-labelledby') || ''}`;
    for (const id of named.split(/\s+/).filter(Boolean)) if (!document.getElementById(id)) say(`no #${id}`, element);
  }
  for (const svg of all('svg')) if (!svg.getAttribute('aria-hidden') && !svg.querySelector('title')) say('picture without words', svg);
  for (const field of all('input:not([type=hidden]), select, textarea')) if (!field.labels.length) say('field without label', field);
  for (const control of all('a, button')) if (!control.textContent.trim() && !control.ariaLabel) say('control without name', control);
  for (const control of all('button, .button, input:not([type=hidden], [type=checkbox], [type=radio]), select, nav a')) {
    if (control.getBoundingClientRect().height < 44) say('too small to touch', control);
  }

  const dot = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const drawn = (text) => { // colours of the admin's theme are not in red, green and blue
    dot.clearRect(0, 0, 1, 1);
    dot.fillStyle = text;
    dot.fillRect(0, 0, 1, 1);
    const [red, green, blue, alpha] = dot.getImageData(0, 0, 1, 1).data;
    return [red, green, blue, alpha / 255];
  };
  const parse = (text) => text.startsWith('rgb') ? text.match(/[\d.]+/g).map(Number) : drawn(text);
  const luminance = (rgb) => rgb.slice(0, 3).map((part) => part / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
    .reduce((sum, part, index) => sum + part * [0.2126, 0.7152, 0.0722][index], 0);
  const behind = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const colour = parse(getComputedStyle(one).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || !seen(element) || element.closest('script, noscript, template')) continue;
    const style = getComputedStyle(element);
    const [light, dark] = [parse(style.color), behind(element)].map(luminance).sort((a, b) => b - a);
    const size = parseFloat(style.fontSize), large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
    const ratio = (light + 0.05) / (dark + 0.05);
    if (ratio < (large ? 3 : 4.5)) say(`contrast ${ratio.toFixed(2)}`, element);
  }
  return wrong;
}
