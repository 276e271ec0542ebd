"""Moving the database's clock in a test: `time_machine` moves only that of the process."""

from datetime import UTC, datetime, timedelta

from django.db.models.functions import Now


class DatabaseClock:
    """The time that queries see. It is shifted, or stopped at a moment, until the test ends."""

    def __init__(self, monkeypatch):
        self.ahead = timedelta()
        self.stopped = None
        monkeypatch.setattr(Now, "as_sqlite", lambda *args, **kwargs: (self._sqlite, ()))
        monkeypatch.setattr(Now, "as_postgresql", lambda *args, **kwargs: (self._postgresql, ()))

    def shift(self, by):
        if self.stopped:
            self.stopped += by
        self.ahead += by

    def stop(self, moment: datetime):
        self.stopped = moment.astimezone(UTC)

    @property
    def _sqlite(self):
        if self.stopped:
            return f"'{self.stopped:%Y-%m-%d %H:%M:%S.%f}'"
        seconds = self.ahead.total_seconds()
        return f"STRFTIME('%%Y-%%m-%%d %%H:%%M:%%f', 'NOW', '{seconds:+f} seconds')"

    @property
    def _postgresql(self):
        if self.stopped:
            return f"TIMESTAMPTZ '{self.stopped.isoformat()}'"
        return f"(STATEMENT_TIMESTAMP() + INTERVAL '{self.ahead.total_seconds():f} seconds')"
