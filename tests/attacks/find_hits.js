// What payloads did in a page: elements and attributes they made, script URLs, templates that were
// evaluated (then the page has `product`), and what its content security policy had to block.
(product) => {
  const found = (window.__blocked || []).map((one) => `blocked: ${one}`);
  const note = (what, element) => found.push(`${what}: ${element.outerHTML.slice(0, 200)}`);
  const search = (root) => {
    for (const element of root.querySelectorAll('*')) {
      if (element.hasAttribute('data-hit')) note('element', element);
      for (const name of ['href', 'src', 'action', 'formaction', 'data', 'xlink:href']) {
        if (/^\s*javascript:/i.test(element.getAttribute(name))) note('url', element);
      }
      if (element instanceof HTMLTemplateElement) search(element.content);
      if (element.shadowRoot) search(element.shadowRoot);
    }
  };
  search(document);
  if (document.documentElement.outerHTML.includes(product)) found.push(`template: ${product}`);
  return found;
}
