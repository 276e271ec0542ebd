// Fetches the board: every 15 seconds while the page is visible, after each act, and for each day.
{
  const { byId, clock } = Board;
  const EVERY_MS = 15e3, PATIENCE_MS = 20e3;
  let etag = '', seenAt = null, last = 0, running = null;
  Board.csrf = '';
  Board.sent = 0; // acts; an answer that was under way while one was sent may be older than the act

  const note = (text) => {
    if (byId('stale').textContent !== text) byId('stale').textContent = text;
    byId('stale').hidden = !text;
  };

  const noAnswer = () => note(['The board doesn’t answer.', seenAt && `This is as of ${clock(seenAt)}.`, 'Trying again every 15 seconds.'].filter(Boolean).join(' '));

  Board.setOffline = (offline) => {
    Board.offline = offline;
    document.body.classList.toggle('offline', offline);
    if (offline) note(seenAt ? `You’re offline. This is the board as of ${clock(seenAt)}; nothing can be changed until the connection is back.`
      : 'Can’t load the board: you’re offline. It appears when the connection is back.');
  };

  const reveal = (shown) => {
    for (const id of ['board', 'switch', 'days', 'tools']) byId(id).hidden = !shown;
    byId('login').hidden = shown;
  };

  Board.askToSignIn = ({ login }) => {
    const address = new URL(login || byId('login-link').href, location);
    address.searchParams.set('next', location.pathname + location.search);
    byId('login-link').href = address;
    reveal(false);
    if (byId('side').open) byId('side').close();
    Board.doc = null;
    etag = '';
    byId('title').textContent = 'Board';
    byId('summary').textContent = byId('asof').textContent = '';
  };

  const apply = async (answer) => {
    etag = answer.headers.get('ETag') || '';
    Board.doc = await answer.json();
    reveal(true);
    Board.drawBar();
    Board.draw();
    if (Board.drawn) Board.drawn();
  };

  const take = async (answer) => {
    if (answer.status === 401) return Board.askToSignIn(await answer.json());
    if (answer.status === 400) {
      const { error, hint } = await answer.json();
      return note(`${error} ${hint}`);
    }
    if (answer.status !== 304 && !answer.ok) return noAnswer();
    note('');
    Board.csrf = answer.headers.get('X-CSRFToken') || Board.csrf;
    seenAt = new Date(answer.headers.get('Date') || Date.now());
    byId('asof').textContent = `· as of ${clock(seenAt)}`;
    return answer.status === 304 ? null : apply(answer);
  };

  const ask = (signal) => {
    const headers = { Accept: 'application/json' };
    if (etag && Board.doc) headers['If-None-Match'] = etag;
    const day = Board.day();
    return fetch(`/api/board${day && '?day='}${encodeURIComponent(day)}`, { headers, cache: 'no-store', signal });
  };

  // Fetch and show the board, all of it or only if it has changed. A later call takes the place of
  // an earlier one.
  Board.poll = async (whole = false) => {
    if (whole) etag = '';
    if (running) running.abort();
    const own = running = new AbortController(), sent = Board.sent;
    const late = setTimeout(() => own.abort(), PATIENCE_MS);
    last = Date.now();
    try {
      const answer = await ask(own.signal);
      if (running !== own || sent !== Board.sent) return;
      Board.setOffline(false);
      await take(answer);
    } catch (error) {
      if (running !== own) return;
      if (error.name === 'SyntaxError') noAnswer(); // a page of something between here and the server
      else Board.setOffline(true);
    } finally {
      clearTimeout(late);
      if (running === own) running = null;
    }
  };

  // Show the day of the address.
  Board.open = async () => {
    byId('board').ariaBusy = 'true';
    await Board.poll(true);
    byId('board').ariaBusy = 'false';
  };

  const due = () => { if (!document.hidden && !running && Date.now() - last >= EVERY_MS - 500) Board.poll(); };
  Board.start = () => {
    setInterval(due, EVERY_MS);
    document.addEventListener('visibilitychange', due);
    addEventListener('online', () => Board.poll());
    addEventListener('offline', () => Board.setOffline(true));
    Board.open();
  };
}
