// Shows on a previewed page which release it is, with a link out. Other pages stay as they are.
// It depends on nothing else, so that it works on pages that share nothing with ours.
{
  const [, release] = /(?:^|; )qdn_preview=([\w-]+)/.exec(document.cookie) || [];
  const make = (tag, style) => {
    const element = document.createElement(tag);
    element.style.cssText = style; // a policy may forbid style attributes, but not this
    return element;
  };

  const show = () => {
    const bar = make('aside', 'position:sticky;bottom:0;z-index:9;display:flex;flex-wrap:wrap;align-items:center;' +
      'justify-content:space-between;gap:0 .8rem;padding:0 1rem;background:#ffd75e;color:#1c2622;' +
      'border-top:2px solid #1c2622;font:.9rem/1.4 system-ui,sans-serif');
    const text = make('p', 'margin:0');
    const out = make('a', 'color:inherit;display:inline-flex;align-items:center;min-height:44px;font-weight:700');
    bar.setAttribute('aria-label', 'Preview');
    text.setAttribute('role', 'status');
    out.textContent = 'Leave'; // with the release's name it fits into one line of a phone
    out.setAttribute('aria-label', 'Leave the preview');
    out.href = `${location.pathname}${location.search}${location.search ? '&' : '?'}release=live${location.hash}`;
    bar.append(text, out);
    document.body.append(bar);
    // Keep the focused element in view above the bar.
    document.documentElement.style.scrollPaddingBottom = '4rem';
    document.head.append(Object.assign(document.createElement('meta'), { name: 'robots', content: 'noindex' }));
    // A screen reader announces changes of a status, not its initial text.
    setTimeout(() => { text.textContent = `Preview of ${release}`; }, 100);
  };

  // The cookie names the release that was asked for; only the response names the one that was served.
  // Other environments have pages on this host too. Bypass the browser's cache, which may hold another
  // release's page.
  if (release) {
    fetch(location.href, { method: 'HEAD', cache: 'no-store' })
      .then((answer) => answer.headers.get('x-amz-meta-release'), () => release)
      .then((given) => { if (given === release) show(); });
  }
}
