"""Pages by key instead of by number: as fast on the last page of a million rows as on the first, stable under inserts.

A page is asked for by the values of the row it starts after (or ends before). The order must end in a unique column;
the primary key is added when it does not. Columns of the order must not be NULL, or rows would fall out of both
directions. The cursor holds those values encrypted: names stand in an order, and must not be readable in addresses and
their logs.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connections
from django.db.models import BooleanField, F, Func, Model, Q, QuerySet, Value
from django.db.models.constants import LOOKUP_SEP
from django.utils.crypto import salted_hmac

PAGE_SIZE = 50
MAXIMUM_PAGE_SIZE = 200
COUNT_LIMIT = 10_000


@dataclass(frozen=True)
class Total:
    """How many rows there are: counted (`exact`), else the planner's estimate, or `more_than` this number."""

    number: int
    exact: bool
    more_than: bool = False


class _RowComparison(Func):
    """`(a, b, id) > (x, y, z)`: one comparison that one index on (a, b, id) answers from its starting point."""

    output_field = BooleanField()
    conditional = True

    def __init__(self, left: Sequence[Any], operator: str, right: Sequence[Any]) -> None:
        self.operator = operator
        self.half = len(left)
        super().__init__(*left, *right)

    def as_sql(self, compiler: Any, connection: Any, **extra: Any) -> tuple[str, list[Any]]:  # type: ignore[override]
        compiled = [compiler.compile(expression) for expression in self.get_source_expressions()]
        left = ", ".join(sql for sql, _ in compiled[: self.half])
        right = ", ".join(sql for sql, _ in compiled[self.half :])
        return f"({left}) {self.operator} ({right})", [value for _, values in compiled for value in values]


class KeysetPage:
    """One page of `queryset` in `order` (names as for order_by, a leading - for descending).

    parameters: request.GET or any mapping; reads `after` and `before`. A cursor that was made for another order or was
    tampered with is ignored: the first page is a safe answer.
    unique: the column that tells rows apart and ends the order, where that is not the primary key.
    count_limit: rows are counted up to it; above, the total says "more than". None: up to COUNT_LIMIT, then estimated.
    Attributes: rows, next and previous (cursors or ""), total (computed when read).
    """

    def __init__(
        self,
        queryset: QuerySet[Any],
        parameters: Mapping[str, Any],
        *,
        order: Sequence[str],
        size: int = PAGE_SIZE,
        unique: str = "pk",
        count_limit: int | None = None,
    ) -> None:
        self.queryset = queryset
        self.order = _with_key(queryset.model, order, unique)
        self.count_limit = count_limit
        self.size = max(1, min(size, MAXIMUM_PAGE_SIZE))
        self._read(str(parameters.get("after") or ""), str(parameters.get("before") or ""))

    def _read(self, after: str, before: str) -> None:
        start, end = self._values(after), self._values(before)
        backwards = end is not None and start is None
        order = _reversed(self.order) if backwards else self.order
        edge = end if backwards else start
        found = self.queryset if edge is None else self.queryset.filter(_beyond(self.queryset, order, edge))
        rows = list(found.order_by(*order)[: self.size + 1])
        more = len(rows) > self.size
        rows = rows[: self.size]
        if backwards:
            rows.reverse()
        self.rows = rows
        self._is_all = edge is None and not more
        has_next = bool(rows) and (backwards or more)
        has_previous = bool(rows) and (more if backwards else edge is not None)
        self.next = self._cursor(rows[-1]) if has_next else ""
        self.previous = self._cursor(rows[0]) if has_previous else ""

    def __iter__(self) -> Any:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def total(self) -> Total:
        """Counted exactly up to the limit; beyond, as the class says. What fits one page needs no counting."""
        if self._is_all:
            return Total(len(self.rows), exact=True)
        limit = COUNT_LIMIT if self.count_limit is None else self.count_limit
        rows = self.queryset.order_by(*self.order) if self.queryset.query.distinct else self.queryset.order_by()
        counted = rows[: limit + 1].count()
        if counted <= limit:
            return Total(counted, exact=True)
        if self.count_limit is not None:
            return Total(limit, exact=False, more_than=True)
        return Total(max(_estimate(self.queryset), COUNT_LIMIT), exact=False)

    def _cursor(self, row: Any) -> str:
        values = [_value(row, name.lstrip("-")) for name in self.order]
        payload = json.dumps([self.order, values], cls=_Exact, ensure_ascii=False)
        return _cipher().encrypt(payload.encode()).decode().rstrip("=")

    def _values(self, cursor: str) -> list[Any] | None:
        if not cursor:
            return None
        try:
            order, values = json.loads(_cipher().decrypt(cursor.encode() + b"=" * (-len(cursor) % 4)))
        except (InvalidToken, ValueError):
            return None
        return values if order == self.order else None


class _Exact(DjangoJSONEncoder):
    """Moments to the microsecond: Django's own stops at milliseconds, and rows of the same one would be lost."""

    def default(self, o: Any) -> Any:
        return o.isoformat() if isinstance(o, datetime) else super().default(o)


def _cipher() -> Fernet:
    key = salted_hmac("changde.web.keyset", "cursor", secret=settings.SECRET_KEY, algorithm="sha256").digest()
    return Fernet(base64.urlsafe_b64encode(key))


def _with_key(model: type[Model], order: Sequence[str], unique: str) -> list[str]:
    names = [name.lstrip("-") for name in order]
    if unique in names or unique == "pk" and model._meta.pk.name in names:
        return list(order)
    descending = bool(order) and order[-1].startswith("-")
    return [*order, f"-{unique}" if descending else unique]


def _reversed(order: Sequence[str]) -> list[str]:
    return [name[1:] if name.startswith("-") else f"-{name}" for name in order]


def _value(row: Any, name: str) -> Any:
    if isinstance(row, Mapping):
        return row[name]
    for step in name.split(LOOKUP_SEP):
        row = getattr(row, step)
    return row.pk if isinstance(row, Model) else row


def _beyond(queryset: QuerySet[Any], order: Sequence[str], values: Sequence[Any]) -> Any:
    names = [name.lstrip("-") for name in order]
    descending = {name.startswith("-") for name in order}
    if len(descending) == 1:
        return _RowComparison(
            [F(name) for name in names],
            "<" if descending.pop() else ">",
            [_bound(queryset, name, value) for name, value in zip(names, values, strict=True)],
        )
    return _mixed(order, values)


def _bound(queryset: QuerySet[Any], name: str, value: Any) -> Value:
    """The value with the type of its column, so that a date read from a cursor is compared as a date."""
    field = F(name).resolve_expression(queryset.query).output_field
    target = getattr(field, "target_field", field)
    return Value(target.to_python(value), output_field=target)


def _mixed(order: Sequence[str], values: Sequence[Any]) -> Q:
    """Columns of both directions: after the first, or equal and after the second, and so on."""
    beyond, equal = Q(), Q()
    for name, value in zip(order, values, strict=True):
        column = name.lstrip("-")
        beyond |= equal & Q(**{f"{column}__{'lt' if name.startswith('-') else 'gt'}": value})
        equal &= Q(**{column: value})
    return beyond


def _estimate(queryset: QuerySet[Any]) -> int:
    sql, values = queryset.order_by().values("pk").query.sql_with_params()
    with connections[queryset.db].cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", values)
        plan = cursor.fetchone()[0]
    plan = json.loads(plan) if isinstance(plan, str) else plan
    return int(plan[0]["Plan"]["Plan Rows"])
