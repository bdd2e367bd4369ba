"""Pages by key: nothing is lost, nothing is doubled, in both directions, whatever is inserted meanwhile."""

from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from changde.divisions.models import Division
from changde.web import keyset
from changde.web.keyset import KeysetPage, Total

ORDERS = [
    ["name"],
    ["-name"],
    ["valid_from", "-name"],
    ["-valid_from", "pinyin"],
    ["level", "valid_from", "name"],
    ["pk"],
]
BASE = 999_900_000_000
pytestmark = pytest.mark.django_db


def make(rows: list[tuple[str, int]], start: int = 1) -> None:
    """Divisions outside Changde: name and day of validity repeat, so that the key has to break ties."""
    Division.objects.bulk_create(
        Division(code=BASE + number, name=name, level=4, kind="rural", pinyin=name, valid_from=date(2020, 1, day))
        for number, (name, day) in enumerate(rows, start)
    )


def ours() -> Any:
    return Division.objects.filter(code__gt=BASE)


def forwards(order: list[str], size: int) -> list[list[int]]:
    pages, cursor = [], ""
    while True:
        page = KeysetPage(ours(), {"after": cursor}, order=order, size=size)
        pages.append([row.pk for row in page.rows])
        cursor = page.next
        if not cursor:
            return pages


def backwards_from_the_end(order: list[str], size: int) -> list[list[int]]:
    page = KeysetPage(ours(), {}, order=order, size=size)
    while page.next:
        page = KeysetPage(ours(), {"after": page.next}, order=order, size=size)
    pages = [[row.pk for row in page.rows]]
    while page.previous:
        page = KeysetPage(ours(), {"before": page.previous}, order=order, size=size)
        pages.insert(0, [row.pk for row in page.rows])
    return pages


ROWS = st.lists(st.tuples(st.sampled_from(["甲村", "乙村", "丙村"]), st.integers(1, 3)), max_size=17)
REPEATED = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@REPEATED
@given(rows=ROWS, order=st.sampled_from(ORDERS), size=st.integers(1, 6))
def test_walking_forwards_and_backwards_shows_every_row_once_in_order(rows, order, size):
    ours().delete()
    make(rows)
    full_order = [*order] if "pk" in order else [*order, "-pk" if order[-1].startswith("-") else "pk"]
    wanted = list(ours().order_by(*full_order).values_list("pk", flat=True))
    assert sum(forwards(order, size), []) == wanted
    assert sum(backwards_from_the_end(order, size), []) == wanted


def test_a_row_inserted_on_an_earlier_page_neither_doubles_nor_loses_one():
    make([("乙村", 1)] * 6)
    first = KeysetPage(ours(), {}, order=["name"], size=3)
    make([("丙村", 1)], start=100)  # sorts before 乙村
    second = KeysetPage(ours(), {"after": first.next}, order=["name"], size=3)
    assert [row.pk - BASE for row in second.rows] == [4, 5, 6]
    assert second.next == ""
    again = KeysetPage(ours(), {"before": second.previous}, order=["name"], size=3)
    assert [row.pk - BASE for row in again.rows] == [1, 2, 3]
    assert again.previous != "", "the inserted row lies before"


def test_a_deleted_border_row_does_not_stop_the_walk():
    make([("甲村", 1)] * 4)
    first = KeysetPage(ours(), {}, order=["name"], size=2)
    first.rows[-1].delete()
    second = KeysetPage(ours(), {"after": first.next}, order=["name"], size=2)
    assert [row.pk - BASE for row in second.rows] == [3, 4]


def test_the_cursor_shows_no_name():
    make([("甲村", 1)] * 2)
    cursor = KeysetPage(ours(), {}, order=["name"], size=1).next
    assert "甲村" not in cursor
    import base64

    assert "甲村".encode() not in base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))


@pytest.mark.parametrize("cursor", ["x", "甲", "gAAAAA", "'; DROP TABLE", "A" * 500])
def test_a_forged_cursor_leads_to_the_first_page(cursor):
    make([("甲村", 1)] * 2)
    assert [row.pk - BASE for row in KeysetPage(ours(), {"after": cursor}, order=["name"], size=5).rows] == [1, 2]


def test_a_cursor_of_another_order_leads_to_the_first_page():
    make([("甲村", 1)] * 3)
    cursor = KeysetPage(ours(), {}, order=["name"], size=1).next
    assert [row.pk - BASE for row in KeysetPage(ours(), {"after": cursor}, order=["-name"], size=1).rows] == [3]


def test_one_page_costs_one_query_and_one_comparison(django_assert_num_queries):
    make([("甲村", 1)] * 3)
    cursor = KeysetPage(ours(), {}, order=["name"], size=1).next
    with django_assert_num_queries(1) as captured:
        KeysetPage(ours(), {"after": cursor}, order=["name"], size=1)
    assert '("divisions_division"."name", "divisions_division"."code") >' in captured[0]["sql"]


def test_the_total_is_counted_while_small_and_estimated_when_large(monkeypatch):
    make([("甲村", 1)] * 5)
    assert KeysetPage(ours(), {}, order=["name"], size=2).total == Total(5, exact=True)
    monkeypatch.setattr(keyset, "COUNT_LIMIT", 4)
    estimated = KeysetPage(ours(), {}, order=["name"], size=2).total
    assert not estimated.exact
    assert estimated.number >= 4


def test_a_total_with_a_limit_stops_there_and_says_so():
    make([("甲村", 1)] * 5)
    assert KeysetPage(ours(), {}, order=["name"], size=2, count_limit=5).total == Total(5, exact=True)
    assert KeysetPage(ours(), {}, order=["name"], size=2, count_limit=4).total == Total(4, False, more_than=True)


def test_what_fits_one_page_is_not_counted(django_assert_num_queries):
    make([("甲村", 1)] * 3)
    with django_assert_num_queries(1):
        assert KeysetPage(ours(), {}, order=["name"], size=3).total == Total(3, exact=True)
    last = KeysetPage(ours(), {"after": KeysetPage(ours(), {}, order=["name"], size=2).next}, order=["name"], size=2)
    assert (len(last.rows), last.total) == (1, Total(3, exact=True))


def test_rows_told_apart_by_another_column_are_paged_and_counted_once_each():
    make([("甲村", 1), ("甲村", 1), ("甲村", 2), ("乙村", 1), ("乙村", 1)])
    rows = ours().values("name", "valid_from").distinct()
    page = KeysetPage(rows, {}, order=["name"], size=2, unique="valid_from", count_limit=2)
    rest = KeysetPage(rows, {"after": page.next}, order=["name"], size=2, unique="valid_from")
    pages = [(row["name"], row["valid_from"].day) for row in [*page, *rest]]
    assert pages == [("乙村", 1), ("甲村", 1), ("甲村", 2)]
    assert (page.total, rest.total) == (Total(2, exact=False, more_than=True), Total(3, exact=True))


def test_pages_work_on_values_and_on_relations():
    make([("甲村", 1)] * 3)
    rows = ours().values("code", "pk", "name", "parent_id")
    page = KeysetPage(rows, {}, order=["name"], size=2)
    rest = KeysetPage(rows, {"after": page.next}, order=["name"], size=2)
    assert [row["code"] - BASE for row in [*page, *rest]] == [1, 2, 3]
