"""Searching: the newest rows with every word that was typed, or else with those that were meant."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connections
from django.db.models import Case, QuerySet, Value, When

from dispatch.models import Customer, Job
from dispatch.search.fields import full_text, full_text_sql
from dispatch.search.index import SEARCHED
from dispatch.search.query import Query, any_of, parse_query
from dispatch.search.text import JOB_NUMBER, phone_digits
from dispatch.search.words import is_learned, nearest_words

# Rows of a search. Another word finds what is not among them sooner than reading on.
LIMIT = 200
# Of a phone in the United States.
COUNTRY, PHONE_DIGITS = "1", 10
# Keys to take from SQLite's index at once; filters may leave fewer.
KEYS_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found: `count` rows, at most LIMIT of them and the newest first.

    more: whether others match.
    corrected: the words that were looked for instead of each mistyped one.
    """

    rows: QuerySet[Any]
    count: int
    more: bool
    corrected: Mapping[str, tuple[str, ...]]

    @property
    def jobs(self) -> QuerySet[Job]:
        """The rows of search_jobs."""
        return self.rows


def search_jobs(text: str, jobs: "QuerySet[Job] | None" = None) -> Found:
    """Find jobs, among `jobs` if given. One whose number was typed comes first."""
    among: QuerySet[Job] = Job.objects.all() if jobs is None else jobs
    found = _search(text, among)
    number = JOB_NUMBER.fullmatch(text.strip())
    if number is None:
        return found
    with_number = among.filter(number=int(number[1])).values_list("number", flat=True)
    keys = {*with_number, *found.rows.values_list("number", flat=True)}
    first = Case(When(number=int(number[1]), then=Value(0)), default=Value(1))
    rows = among.filter(number__in=keys).order_by(first, "-number")
    return Found(rows, len(keys), found.more, {})


def search_customers(text: str, customers: "QuerySet[Customer] | None" = None) -> Found:
    """Find customers, among `customers` if given, by name, phone or email."""
    return _search(text, Customer.objects.all() if customers is None else customers)


def _search(text: str, rows: QuerySet[Any]) -> Found:
    query, corrected = parse_query(text), {}
    keys = _of_phone(rows, text) or _newest(rows, query)
    if not keys and (meant := _meant(query, rows.model)):
        keys = _newest(rows, parse_query(text, meant))
        corrected = meant if keys else {}
    key = _key(rows)
    newest = keys[:LIMIT]
    among = rows.filter(**{f"{key}__in": newest}).order_by(f"-{key}")
    return Found(among, len(newest), len(keys) > LIMIT, corrected)


def _of_phone(rows: QuerySet[Any], text: str) -> list[int]:
    """Return the keys of rows with the phone, if all of it was typed: it has an index of its own.

    Its digits are in so many other numbers that an index of trigrams reads far more than is found.
    """
    digits = phone_digits(text).removeprefix(COUNTRY)
    if len(digits) != PHONE_DIGITS:
        return []
    owners = Customer.objects.filter(phone=f"+{COUNTRY}{digits}")
    whose = "pk__in" if rows.model is Customer else "customer__in"
    return _keys(rows.filter(**{whose: owners.values("pk")}), LIMIT + 1)


def _meant(query: Query, model: Any) -> dict[str, tuple[str, ...]]:
    """Return the nearest words that are known, of each word that no row has."""
    everywhere = model._default_manager.all()
    unknown = [
        word
        for word in query.words
        if is_learned(word) and not _newest(everywhere, any_of((word,)), limit=1)
    ]
    nearest = {word: nearest_words(word) for word in unknown}
    return {word: words for word, words in nearest.items() if words}


def _newest(rows: QuerySet[Any], query: Query, *, limit: int = LIMIT + 1) -> list[int]:
    """Return the keys of the newest rows that match, without sorting those that match.

    PostgreSQL knows how many there may be: it looks up few, and walks from the newest to find many.
    SQLite would list them all; its index gives the newest first, and nearly always they suffice.
    """
    key = _key(rows)
    if connections[rows.db].vendor == "sqlite" and query.ways:
        newest = _newest_of_index(rows, query)
        found = _keys(rows.filter(**{f"{key}__in": newest}), limit)
        if len(found) == limit or len(newest) < KEYS_AT_ONCE:
            return found
    return _keys(rows.filter(search_text__matches=query), limit)


def _newest_of_index(rows: QuerySet[Any], query: Query) -> list[int]:
    sql = f"{full_text_sql(rows.model._meta.db_table)} ORDER BY rowid DESC LIMIT {KEYS_AT_ONCE}"
    with connections[rows.db].cursor() as cursor:
        cursor.execute(sql, [full_text(query)])
        return [key for (key,) in cursor.fetchall()]


def _keys(rows: QuerySet[Any], limit: int) -> list[int]:
    key = _key(rows)
    return list(rows.order_by(f"-{key}").values_list(key, flat=True)[:limit])


def _key(rows: QuerySet[Any]) -> str:
    return SEARCHED[rows.model._meta.db_table]
