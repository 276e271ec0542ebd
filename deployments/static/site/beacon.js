// Reports once, when it is left, how this view went: numbers, without cookie, address or path. First
// in its bundle, it sees the errors of what follows. docs/explanation/real-timings.md says more.
try {
  const { surface, rate } = document.currentScript.dataset, view = { surface };
  let last = 0, shift = 0;
  const keep = (name, value) => { view[name] = Math.max(view[name] || 0, Math.round(value)); };
  const watch = (type, each) => new PerformanceObserver((list) => list.getEntries().forEach(each))
    .observe({ type, buffered: true, durationThreshold: 16 });
  const fail = () => { view.error = 'script'; };
  const send = ({ type }) => {
    if (view.release && (document.hidden || type === 'pagehide')) {
      fetch('/api/v1/timings/', { method: 'POST', body: JSON.stringify(view), keepalive: true,
        credentials: 'omit', referrerPolicy: 'no-referrer' }).catch(fail);
      view.release = '';
    }
  };
  if (Math.random() < rate && !document.hidden) {
    watch('navigation', (one) => keep('ttfb', one.responseStart));
    watch('paint', (one) => { if (one.name[6] === 'c') keep('fcp', one.startTime); });
    watch('largest-contentful-paint', (one) => keep('lcp', one.startTime));
    watch('event', (one) => { if (one.interactionId) keep('inp', one.duration); });
    if (self.LayoutShift) view.cls = 0;
    // In thousandths: the worst burst of shifts that are less than a second apart.
    watch('layout-shift', (one) => {
      if (one.hadRecentInput) return;
      if (one.startTime - last > 1e3) shift = 0;
      last = one.startTime;
      keep('cls', 1e3 * (shift += one.value));
    });
    // The job's document: how long the first one took, and whether one failed.
    watch('resource', (one) => {
      if (!/\.json$/.test(one.name)) return;
      if (!view.document) keep('document', one.duration);
      if (one.responseStatus === 0 || one.responseStatus > 499) view.error = view.error || 'document';
    });
    // The browser's copy of this page names its release, as a rule without a request.
    fetch(location, { method: 'HEAD', cache: 'force-cache' })
      .then((page) => { view.release = page.headers.get('x-amz-meta-release'); }, fail);
    for (const type of ['error', 'unhandledrejection']) addEventListener(type, fail);
    for (const type of ['visibilitychange', 'pagehide']) addEventListener(type, send);
  }
} catch (old) {}
