"""Plans of the card list on some thousand households: no filter, order or search reads a table from end to end.

The tables are filled by COPY and analysed as in a database in use; the planner's settings are the server's own.
"""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection, connections
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from changde.bulk import copy_in
from changde.divisions.models import Division
from households.filters import CAUSES, ORDERS
from households.models import (
    Finding,
    Household,
    IndexRun,
    IndexVersion,
    ListedMember,
    MemberSheet,
    Membership,
    Person,
    Result,
    Sheet,
    TownshipPointer,
)
from households.selectors.card_list import CardList, card_list
from households.selectors.search import matching, sealed, understand
from households.services.index_versions import load_default_versions
from tests.conftest import KEPT_TABLES
from tests.personas import CITY, TAOYUAN, People, make_people
from tests.template_database import owner_connection

PEOPLE_TABLES = (Household, Person, Membership, ListedMember, Sheet, MemberSheet, Result, Finding)
SCOPES = {"county": TAOYUAN, "city": CITY}
ASKED = {
    "nothing": {},
    "attribute": {"attribute": "五保户"},
    "cause": {"cause": "因病"},
    "exit_flag": {"exit_flag": "返贫"},
    "outcome": {"outcome": "absolute"},
    "guarantee_gap": {"flag": "guarantee_gap"},
    "excluded": {"flag": "excluded"},
    "verify": {"flag": "verify"},
    "stale": {"flag": "stale"},
    "health": {"health": "残疾"},
    "labour": {"labour": "丧失劳动力"},
    "nobody can work": {"labour": "none"},
    "income": {"income_min": "10", "income_max": "20"},
    "changed_since": {"changed_since": "2026-01-09"},
    "entered_by": {"entered_by": "录299"},
}


@pytest.fixture(scope="module")
def filled(django_db_setup: None, django_db_blocker: Any) -> Iterator[People]:
    """12,000 households in every tenth village of the city."""
    with django_db_blocker.unblock():
        people = make_people()
        villages = Division.objects.villages().within(CITY).order_by("code").values_list("code", flat=True)
        fill(list(villages)[::10], households=12_000)
        owner = owner_connection()
        with owner.cursor() as cursor:
            for model in PEOPLE_TABLES:
                cursor.execute(f"VACUUM ANALYZE {model._meta.db_table}")
        yield people
        connections.close_all()
        with owner.cursor() as cursor:
            cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
            tables = sorted({name for (name,) in cursor.fetchall()} - set(KEPT_TABLES))
            cursor.execute("TRUNCATE " + ", ".join(f'"{table}"' for table in tables) + " RESTART IDENTITY")
        owner.close()


@pytest.fixture
def ask(filled: People, django_db_blocker: Any) -> Iterator[Any]:
    """`ask(scope, {...})`: the list as the city's office asks for it."""

    def asked(scope: str, query: dict[str, str]) -> CardList:
        return card_list(filled.city_office, Division.objects.get(code=SCOPES[scope]), QueryDict(urlencode(query)))

    with django_db_blocker.unblock():
        yield asked


def fill(villages: list[int], *, households: int) -> None:
    ids, day = range(1, households + 1), datetime(2026, 1, 1, tzinfo=timezone.get_current_timezone())
    place = {pk: villages[pk % len(villages)] for pk in ids}
    causes = [cause for cause, _label in CAUSES]
    copy_in(
        Household,
        ["id", "number", "village_id", "group", "head_name", "head_pinyin", "head_initials", "persons", "status",
         "changed_at", "address", "bank", "helper_name", "monitored_kind", "version"],
        ((pk, f"{place[pk]}{pk:05d}", place[pk], f"{pk % 12}组", f"户{pk}", f"hu {pk:06d}", "h", 2, "registered",
          day + timedelta(minutes=pk), "", "", "", "", 1) for pk in ids),
    )  # fmt: skip
    copy_in(
        Person,
        ["id", "name", "pinyin", "initials", "number", "sex", "ethnicity", "id_kind", "no_id_reason", "id_number_hash",
         "id_number_cipher", "phone_hash", "phone_cipher"],
        ((2 * pk + each, f"{'户成'[each]}{pk}", f"{'hc'[each]} {pk}", f"{'hc'[each]}{pk}", "", "", "", "", "",
          f"{2 * pk + each:032d}".encode(), b"x", f"{2 * pk + each:032d}".encode(), b"x")
         for pk in ids for each in (0, 1)),
    )  # fmt: skip
    copy_in(
        Membership,
        ["household_id", "person_id", "relation", "position", "end_reason"],
        ((pk, 2 * pk + each, ("户主", "配偶")[each], each, "") for pk in ids for each in (0, 1)),
    )
    copy_in(
        Sheet,
        ["id", "household_id", "village_id", "year", "version", "members_counted", "attribute", "main_cause",
         "other_causes", "exit_flag", "per_capita_income", "house_grade", "main_fuel", "entrance_road", "request",
         "entered_by"],
        ((pk, pk, place[pk], 2019, 1, 2, "五保户" if pk % 200 == 0 else "一般农户", causes[pk % len(causes)], [],
          "返贫" if pk % 200 == 1 else "未脱贫", Decimal(pk % 9000), "", "", "", "", f"录{pk % 300}") for pk in ids),
    )  # fmt: skip
    copy_in(
        MemberSheet,
        ["sheet_id", "person_id", "relation", "position", "education", "school_status", "out_of_school_reason",
         "health", "disability_grade", "labour", "work_place", "political_status"],
        ((pk, 2 * pk + each, "", each, "", "", "", ["残疾" if pk % 2000 == 0 else "健康"], "",
          "丧失劳动力" if pk % 2000 == 0 else "普通劳动力", "", "") for pk in ids for each in (0, 1)),
    )  # fmt: skip

    load_default_versions()
    version = IndexVersion.objects.order_by("pk").first()
    run = IndexRun.objects.create(
        division_id=CITY, first_code=CITY, last_code=CITY + 10**8 - 1, year=2019, state="done", finished_at=day
    )
    townships = {code - code % 1000 for code in villages}
    TownshipPointer.objects.bulk_create(TownshipPointer(township_id=code, year=2019, run=run) for code in townships)
    copy_in(
        Result,
        ["household_id", "run_id", "village_id", "version_id", "year", "card_version", "village_card_version", "values",
         "deprived", "unknown", "missing", "excluded_by", "outcome", "below_line", "below_monitoring_line",
         "reaches_cutoff", "guarantee_gap", "excluded", "open_fields", "stale"],
        ((pk, run.pk, place[pk], version.pk, 2019, 1, 0, {}, 0, 0, 0, 0, "absolute" if pk % 400 == 0 else "not_poor",
          False, False, False, pk % 400 == 1, pk % 400 == 2, "", pk % 400 == 3) for pk in ids),
    )  # fmt: skip
    notes = (
        Finding(household_id=pk, village_id=place[pk], kind="yellow_check", code="x", blocks=pk % 400 == 0)
        for pk in ids
    )
    Finding.objects.bulk_create(notes, batch_size=4000)


def nodes_of(sql: str, values: Any) -> list[dict[str, Any]]:
    """Every step of the plan of a query."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", values)
        plan = cursor.fetchone()[0]
    waiting, nodes = [(json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]], []
    while waiting:
        node = waiting.pop()
        waiting += node.get("Plans", [])
        nodes.append(node)
    return nodes


def read_whole(rows: Any) -> set[str]:
    """Tables of people that the plan reads from end to end."""
    nodes = nodes_of(*rows.query.sql_with_params())
    tables = {model._meta.db_table for model in PEOPLE_TABLES}
    return {node["Relation Name"] for node in nodes if node["Node Type"] == "Seq Scan"} & tables


@pytest.mark.parametrize("scope", SCOPES)
def test_no_filter_reads_a_table_from_end_to_end(ask: Any, scope: str) -> None:
    plans = {
        name: read_whole(ask(scope, query).cards.order_by("village_id", "head_pinyin", "pk")[:51])
        for name, query in ASKED.items()
    }
    assert plans == dict.fromkeys(ASKED, set())


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("order", [order for order, _label in ORDERS])
def test_no_order_sorts_more_than_its_page(
    ask: Any, scope: str, order: str, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(12) as seen:
        ask(scope, {"order": order}).page({}, size=50)
    page = next(each["sql"] for each in seen.captured_queries if each["sql"].endswith("LIMIT 51"))
    kinds = {node["Node Type"] for node in nodes_of(page, None)}
    assert not kinds & {"Sort", "Seq Scan"}, kinds


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("typed", ["户", "成", "h", "hc", "h c", "无此人", "zz"])
def test_a_search_by_name_reads_no_more_than_an_index_gives_in_the_order_of_the_list(
    ask: Any, filled: People, scope: str, typed: str
) -> None:
    """A common name is met on the way through the list, a rare one found and put in order; the table stays unread."""
    with CaptureQueriesContext(connection) as seen:
        page = ask(scope, {"find": sealed(filled.city_office, typed)}).page({}, size=50)
        assert page.total
    asked = [each["sql"] for each in seen.captured_queries if "households_listedmember" in each["sql"]]
    nodes = [node for sql in asked for node in nodes_of(sql, None)]
    read = {node["Relation Name"] for node in nodes if "Relation Name" in node}
    assert read == {"households_listedmember"}
    assert not {node["Node Type"] for node in nodes} & {"Seq Scan"}
    if len(typed) == 1:
        assert {node["Index Name"] for node in nodes if "Index Name" in node} == {"listed_member_order"}


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("query", [{"labour": "none"}, {"labour": "none", "cause": "因病"}, {"cause": "因病"}])
def test_the_copies_of_the_list_answer_without_a_look_at_members(ask: Any, scope: str, query: dict[str, str]) -> None:
    with CaptureQueriesContext(connection) as seen:
        assert ask(scope, query).page({}, size=50).total
    asked = [each["sql"] for each in seen.captured_queries if "_listed" in each["sql"]]
    assert asked
    read = {node.get("Relation Name") for sql in asked for node in nodes_of(sql, None)}
    assert not read & {"households_membersheet", "households_sheet"}


@pytest.mark.parametrize("query", [{"order": "changed"}, {"order": "number"}, {"cause": "因病"}])
def test_a_common_name_in_another_order_is_met_on_the_way(ask: Any, filled: People, query: dict[str, str]) -> None:
    asked = {"find": sealed(filled.city_office, "户"), **query}
    with CaptureQueriesContext(connection) as seen:
        ask("city", asked).page({}, size=50)
    page = next(each["sql"] for each in seen.captured_queries if each["sql"].endswith("LIMIT 51"))
    assert not {node["Node Type"] for node in nodes_of(page, None)} & {"Sort", "Seq Scan"}


@pytest.mark.parametrize("typed", ["户11999", "成11999", "h11999", "c 11999", "43072510320011999", "13873600001"])
def test_no_search_reads_a_table_from_end_to_end(ask: Any, typed: str) -> None:
    search = understand(typed)
    assert search is not None
    assert read_whole(matching(ask("city", {}).cards, search).order_by("village_id", "head_pinyin", "pk")[:51]) == set()
