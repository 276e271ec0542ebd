// Gives a list of what is too small for a glove (48 px), or too pale for the sun (7:1).
async () => {
  // A page that a form has led to may still wait for its styles.
  if (document.readyState !== 'complete') await new Promise((done) => addEventListener('load', done));
  const wrong = [];
  const say = (what, element) => wrong.push(`${what}: ${element.outerHTML.slice(0, 120)}`);
  const seen = (element) => element.checkVisibility({ visibilityProperty: true }) && !element.closest('.vh');
  const target = (element) => element.closest('label') || element;
  for (const control of document.querySelectorAll('a, button, summary, textarea, input:not([type=hidden])')) {
    if (!seen(control)) continue;
    const { width, height } = target(control).getBoundingClientRect();
    if (width < 48 || height < 48) say(`${Math.round(width)} x ${Math.round(height)}`, control);
  }
  const parse = (text) => (text.match(/[\d.]+/g) || []).map(Number);
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
    if (!texts.currentNode.data.trim() || !seen(element)) continue;
    const [light, dark] = [parse(getComputedStyle(element).color), behind(element)].map(luminance).sort((a, b) => b - a);
    const ratio = (light + 0.05) / (dark + 0.05);
    if (ratio < 7) say(`contrast ${ratio.toFixed(2)}`, element);
  }
  return wrong;
}
