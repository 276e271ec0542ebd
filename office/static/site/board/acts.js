// Acts: shown at once as pending, sent one after the other, and settled by the server's answer.
{
  let tail = Promise.resolve();

  const post = (body) => fetch('/api/board/acts', {
    method: 'POST',
    headers: { Accept: 'application/json', 'Content-Type': 'application/json', 'X-CSRFToken': Board.csrf },
    body: JSON.stringify(body),
  });

  const send = async (body, first = true) => {
    Board.sent += 1;
    const answer = await post(body);
    const found = await answer.json().catch(() => ({}));
    if (answer.status !== 403 || found.code !== 'csrf' || !first) return { status: answer.status, found };
    await Board.poll(true); // brings the present token
    return send(body, false);
  };

  const update = (card) => {
    if (!card) return;
    if (Board.doc.cards[card.id]) Board.doc.cards[card.id] = card;
    else Board.others[card.id] = card;
  };

  const undoing = (undo) => undo && (() => Board.act({ act: 'undo', ...undo }, { label: 'Undoing' }));

  // Show the server's answer; say whether the act is done, and what to do once the board is fresh.
  const settle = ({ status, found }, body, look) => {
    if (status === 401) return { after: () => Board.askToSignIn(found) };
    update(found.card);
    if (status === 200) {
      if (look.column) Board.keep();
      return { done: true, after: () => Board.say(found.message, undoing(found.undo) || look.undo) };
    }
    if (status === 422) return { after: () => Board.askMissing(found, body, look) };
    const error = found.error || `The server answered with ${status}.`;
    const hint = found.hint || 'Check the job, then try again.';
    return { after: () => Board.trouble({ ...found, error, hint, job: body.job }) };
  };

  const unknown = (body, look) => ({
    after: () => {
      Board.setOffline(true);
      const again = () => Board.poll().then(() => Board.act(body, look));
      // The same key: if the first attempt did arrive, it counts once.
      Board.trouble({ error: 'The connection was lost, so this may not be done.', hint: 'Try again: it counts once.', job: body.job, again });
    },
  });

  // Undo is of one revision; all else is of the job as it is shown when its turn comes.
  const complete = (body) => {
    const card = Board.card(body.job), column = Board.crews().find(({ crew }) => card && crew === card.crew);
    const whole = { key: crypto.randomUUID(), day: Board.doc.day, revision: card && card.revision, ...body };
    if (body.act === 'order') whole.run_revision = column ? column.run_revision : 0;
    return whole;
  };

  const run = async (given, look) => {
    const body = complete(given);
    let settled = null;
    try {
      settled = await send(body).then((answer) => settle(answer, body, look), () => unknown(body, look));
    } finally {
      if (Board.pending.get(body.job) === look) Board.pending.delete(body.job);
      Board.draw();
    }
    settled.after();
    if (Board.doc) await Board.poll();
    return Boolean(settled.done);
  };

  // Do something: `body` as the endpoint takes it, `look` is {label, column, before, undo}. Resolves
  // to whether it was done.
  Board.act = (body, look) => {
    if (Board.offline) {
      Board.say('You’re offline, so nothing was changed. Try again when the connection is back.');
      Board.poll();
      Board.draw();
      return Promise.resolve(false);
    }
    if (body.job) Board.pending.set(body.job, look);
    Board.draw();
    const done = tail.then(() => Board.doc && run(body, look));
    tail = done.catch(() => {});
    return done;
  };
}
