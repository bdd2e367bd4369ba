"""Leads: what detectors and registers say of households, kept until an office has looked into each.

A detector hands over every hit of an area and its kinds; `keep_leads` opens what is new, brings open ones up to date
and closes what is said no more. A lead an office decided does not come again while what it stands on stays the same.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import islice
from typing import Any

from django.db import connection, transaction
from django.db.models import Count, Q
from django.utils import timezone

from changde.audit.services import record
from changde.bulk.copy import copy_rows
from changde.divisions.codes import Level, ancestor, code_range
from households.domain.priority import UNKNOWN_KIND, expected_precision, weight_of
from households.models import Finding, LeadRule

# These are about the people who type and decide in a place: the county looks into them.
COUNTY_KINDS = frozenset(Finding.ABOUT_OFFICES)
# Until decided, no posting with the household on it (flag verify).
BLOCKING_KINDS = frozenset(
    {
        Finding.Kind.VEHICLE,
        Finding.Kind.REAL_ESTATE,
        Finding.Kind.PUBLIC_PAYROLL,
        Finding.Kind.COMPANY,
        Finding.Kind.DECEASED,
        Finding.Kind.KIN,
        Finding.Kind.PAPER_SPLIT,
    }
)
DUE_DAYS = 30


@dataclass(frozen=True, slots=True)
class Hit:
    """One household (or one member of it) and one rule that speaks of it.

    `rule` is the id of the rule (at most 40 characters), `score` 0 to 1 how sure it is, `parameters` codes and figures
    that its sentence needs (never an ID number, phone, account or name). `basis` is what the lead stands on, as text:
    a decided lead comes again only when it changes; empty: the parameters are.
    """

    household: int
    kind: str
    rule: str
    score: float
    parameters: Mapping[str, Any] = field(default_factory=dict)
    person: int | None = None
    basis: str = ""


@dataclass(frozen=True)
class KeptLeads:
    """How many leads were opened, changed and closed."""

    opened: int
    changed: int
    closed: int


@transaction.atomic
def keep_leads(hits: Iterable[Hit], *, kinds: Collection[str], area: int, year: int | None) -> KeptLeads:
    """Bring the leads of these kinds in the area (a division's code) to what the hits say.

    Hits of households outside the area are ignored. Of several hits of one household, person, kind and rule the surest
    counts. Set-based: one COPY and four statements, whatever the number of hits.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('keep_leads'))")
        cursor.execute("DROP TABLE IF EXISTS lead_hit")
        cursor.execute(
            """
            CREATE TEMPORARY TABLE lead_hit (
                household bigint NOT NULL, person bigint, kind varchar(30) NOT NULL, code varchar(40) NOT NULL,
                score double precision NOT NULL, facts jsonb NOT NULL, mark bytea NOT NULL
            ) ON COMMIT DROP
            """
        )
        rows = _rows(hits, kinds)
        while some := list(islice(rows, _AT_A_TIME)):  # outside COPY: a detector's own error is raised as such
            copy_rows(cursor, "lead_hit", _COLUMNS, some)
        cursor.execute("ANALYZE lead_hit")
        first, last = code_range(area)
        kept = _keep(cursor, "", {"first": first, "last": last, "households": None} | _given(kinds, year))
    record(
        "leads.keep", by=None, area=area, kinds=sorted(map(str, kinds)), year=year,
        opened=kept.opened, changed=kept.changed, closed=kept.closed,
    )  # fmt: skip
    return kept


def keep_household_leads(
    hits: Iterable[Hit], *, kinds: Collection[str], households: Collection[int], year: int | None
) -> KeptLeads:
    """The same for some households, cheap enough to follow each save of a card.

    Where an area is being kept at this moment it stands back: waiting for a city would hold the save, and the night
    keeps every area again.
    """
    found = list(_rows(hits, kinds))
    if _stand(found, kinds, households):
        return KeptLeads(0, 0, 0)
    rows = [dict(zip(_COLUMNS, (*row[:-1], row[-1].hex()), strict=True)) for row in found]
    given: dict[str, Any] = {"first": 0, "last": 10**12, "households": list(households), "hits": json.dumps(rows)}
    given |= _given(kinds, year)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock_shared(hashtext('keep_leads'))")
        if not cursor.fetchone()[0]:
            return KeptLeads(0, 0, 0)
        kept = _keep(cursor, _FEW_HITS, given)
        if kept != KeptLeads(0, 0, 0):
            record(
                "leads.keep", by=None, households=len(households), kinds=sorted(given["kinds"]), year=year,
                opened=kept.opened, changed=kept.changed, closed=kept.closed,
            )  # fmt: skip
    return kept


def _stand(rows: Collection[tuple[Any, ...]], kinds: Collection[str], households: Collection[int]) -> bool:
    """Do exactly these leads stand already? Most saves of a card change none."""
    leads = Finding.objects.open().filter(household__in=households, kind__in=list(map(str, kinds)))
    stored = leads.values_list("household_id", "person_id", "kind", "code", "score", "facts", "mark")
    there = {row[:4]: (round(row[4], 3), row[5], bytes(row[6])) for row in stored if row[4] is not None}
    said = {row[:4]: (round(row[4], 3), json.loads(json.dumps(row[5])), row[6]) for row in rows}
    return said == there


def owner_of(kind: str, village: int) -> int:
    """The office that looks into a lead of this kind on a card of this village: its township, or its county."""
    return ancestor(village, Level.COUNTY if kind in COUNTY_KINDS else Level.TOWNSHIP)


def _keep(cursor: Any, hits: str, given: Mapping[str, Any]) -> KeptLeads:
    counts, touched = [], set()
    for statement in (_INSERT, _CHANGE, _CLOSE):
        cursor.execute(f"WITH {hits} {_SUREST} {statement}", given)
        households = [household for (household,) in cursor.fetchall()]
        counts.append(len(households))
        touched.update(households)
    if touched:
        weigh(households=touched)
    return KeptLeads(*counts)


def _given(kinds: Collection[str], year: int | None) -> dict[str, Any]:
    return {
        "kinds": list(map(str, kinds)),
        "year": year,
        "due": timezone.localdate() + timedelta(days=DUE_DAYS),
        "county_kinds": list(map(str, COUNTY_KINDS)),
        "blocking": list(map(str, BLOCKING_KINDS)),
    }


_AT_A_TIME = 20_000
_COLUMNS = ("household", "person", "kind", "code", "score", "facts", "mark")


def _rows(hits: Iterable[Hit], kinds: Collection[str]) -> Iterator[tuple[Any, ...]]:
    """In the order of _COLUMNS."""
    for hit in hits:
        if hit.kind not in kinds:
            raise ValueError(f"a hit of kind {hit.kind} among {sorted(kinds)}")
        facts = {"parameters": dict(hit.parameters)}
        basis = hit.basis or json.dumps(facts, sort_keys=True, ensure_ascii=False)
        mark = hashlib.sha256(f"{hit.kind}\t{hit.rule}\t{basis}".encode()).digest()
        yield hit.household, hit.person, str(hit.kind), hit.rule, min(1.0, max(0.0, hit.score)), facts, mark


# A handful of hits as one value instead of a table of their own; named like that table.
_FEW_HITS = """
    lead_hit AS (
        SELECT household, person, kind, code, score, facts, decode(mark, 'hex') AS mark
        FROM jsonb_to_recordset(%(hits)s::jsonb) AS given (
            household bigint, person bigint, kind varchar, code varchar, score double precision, facts jsonb, mark text)
    ),
"""
_SUREST = """
    surest AS (
        SELECT DISTINCT ON (hit.household, hit.person, hit.kind, hit.code) hit.*, card.village_id
        FROM lead_hit hit JOIN households_household card ON card.id = hit.household
        WHERE card.village_id BETWEEN %(first)s AND %(last)s AND card.status <> 'closed'
          AND (%(households)s::bigint[] IS NULL OR card.id = ANY (%(households)s::bigint[]))
        ORDER BY hit.household, hit.person, hit.kind, hit.code, hit.score DESC, hit.mark
    )
"""
_INSERT = """
    INSERT INTO households_finding (
        household_id, person_id, village_id, kind, code, severity, mark, blocks, facts, score, year, owner_id, due_on,
        explanation, return_reason, visit_note, answer, no_visit_reason, hand_reason, decision, reason)
    SELECT s.household, s.person, s.village_id, s.kind, s.code, 'yellow', s.mark, s.kind = ANY (%(blocking)s), s.facts,
           s.score, %(year)s,
           CASE WHEN s.kind = ANY (%(county_kinds)s) THEN s.village_id - s.village_id %% 1000000
                ELSE s.village_id - s.village_id %% 1000 END,
           %(due)s, '', '', '', '', '', '', '', ''
    FROM surest s
    WHERE NOT EXISTS (
        SELECT 1 FROM households_finding f
        WHERE f.household_id = s.household AND f.person_id IS NOT DISTINCT FROM s.person AND f.kind = s.kind
          AND f.code = s.code
          AND (f.decided_at IS NULL OR f.decision IN ('confirmed', 'dismissed') AND f.mark = s.mark))
    ON CONFLICT DO NOTHING
    RETURNING household_id
"""
_CHANGE = """
    UPDATE households_finding f SET facts = s.facts, score = s.score, mark = s.mark, year = %(year)s
    FROM surest s
    WHERE f.household_id = s.household AND f.person_id IS NOT DISTINCT FROM s.person AND f.kind = s.kind
      AND f.code = s.code AND f.decided_at IS NULL
      AND (f.mark <> s.mark OR f.facts <> s.facts OR abs(f.score - s.score) > 0.001)
    RETURNING f.household_id
"""
_CLOSE = """
    UPDATE households_finding f SET decision = 'corrected', decided_at = now()
    WHERE f.village_id BETWEEN %(first)s AND %(last)s AND f.kind = ANY (%(kinds)s) AND f.decided_at IS NULL
      AND (%(households)s::bigint[] IS NULL OR f.household_id = ANY (%(households)s::bigint[]))
      AND NOT EXISTS (SELECT 1 FROM lead_hit s WHERE f.household_id = s.household
                      AND f.person_id IS NOT DISTINCT FROM s.person AND f.kind = s.kind AND f.code = s.code)
    RETURNING f.household_id
"""


# -- priority ------------------------------


def weigh(*, households: Collection[int] | None) -> int:
    """Write the doubt of the open leads of these households (None: of all) anew; how many changed.

    The same product as domain.priority.doubt_of, over the rules' weights of the last night. What is about people of an
    office counts only beside its like: a township must not read it off the order of its own queue.
    """
    given = {
        "households": None if households is None else sorted(households),
        "expected": json.dumps(expected_precision()),
        "otherwise": UNKNOWN_KIND,
        "county_kinds": list(map(str, COUNTY_KINDS)),
    }
    with connection.cursor() as cursor:
        cursor.execute(_WEIGH, given)
        return cursor.rowcount


_WEIGH = """
    UPDATE households_finding f SET doubt = d.doubt
    FROM (
        SELECT me.id, round(exp(sum(ln(greatest(1e-6, 1 - other.score * coalesce(
                   rule.weight, (%(expected)s::jsonb ->> other.kind)::double precision, %(otherwise)s)))))::numeric, 6
               )::double precision AS doubt
        FROM households_finding me
        JOIN households_finding other ON other.household_id = me.household_id AND other.decided_at IS NULL
            AND other.owner_id IS NOT NULL
            AND (me.kind = ANY (%(county_kinds)s) OR NOT other.kind = ANY (%(county_kinds)s))
        LEFT JOIN households_leadrule rule ON rule.kind = other.kind AND rule.code = other.code
        WHERE me.decided_at IS NULL AND me.owner_id IS NOT NULL
          AND (%(households)s::bigint[] IS NULL OR me.household_id = ANY (%(households)s::bigint[]))
        GROUP BY me.id
    ) d
    WHERE f.id = d.id AND abs(f.doubt - d.doubt) > 0.0005
"""


@transaction.atomic
def learn_weights() -> int:
    """Every night: the weight of each rule from all decisions so far, then the doubts; how many leads moved."""
    decided = Finding.objects.filter(decision__in=("confirmed", "dismissed"), owner__isnull=False)
    counts = decided.order_by().values("kind", "code").annotate(
        confirmed=Count("pk", filter=Q(decision="confirmed")), dismissed=Count("pk", filter=Q(decision="dismissed"))
    )  # fmt: skip
    rules = [
        LeadRule(**row, weight=weight_of(row["kind"], confirmed=row["confirmed"], dismissed=row["dismissed"]))
        for row in counts
    ]
    LeadRule.objects.all().delete()
    LeadRule.objects.bulk_create(rules)
    moved = weigh(households=None)
    record("leads.learn_weights", by=None, rules=len(rules), moved=moved)
    return moved


def rehome(*, households: Collection[int]) -> None:
    """Open leads of cards that moved go to an office of their new village."""
    with connection.cursor() as cursor:
        cursor.execute(_REHOME, {"households": list(households), "county_kinds": list(map(str, COUNTY_KINDS))})


_REHOME = """
    UPDATE households_finding f
    SET village_id = h.village_id,
        owner_id = CASE WHEN f.kind = ANY (%(county_kinds)s) THEN h.village_id - h.village_id %% 1000000
                        ELSE h.village_id - h.village_id %% 1000 END
    FROM households_household h
    WHERE h.id = f.household_id AND h.id = ANY (%(households)s) AND f.decided_at IS NULL AND f.owner_id IS NOT NULL
      AND f.owner_id NOT IN (h.village_id - h.village_id %% 1000, h.village_id - h.village_id %% 1000000)
"""
