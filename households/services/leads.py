"""Leads: what detectors and registers say of households, kept until an office has looked into each.

A detector hands over every hit of an area and its kinds; `keep_leads` opens what is new, brings open ones up to date
and closes what is said no more. A lead an office decided does not come again while what it stands on stays the same.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from changde.audit.services import record
from changde.bulk.copy import copy_rows
from changde.divisions.codes import Level, ancestor, code_range
from households.models import Finding

# These are about the people who type and decide in a place: the county looks into them.
COUNTY_KINDS = frozenset(
    {
        Finding.Kind.KIN,
        Finding.Kind.BUNCHING,
        Finding.Kind.DIGIT_PREFERENCE,
        Finding.Kind.TYPING_SPEED,
        Finding.Kind.VILLAGE_RATE,
    }
)
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
    counts. Set-based: one COPY and three statements, whatever the number of hits.
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
        _copy(cursor, hits, kinds)
        cursor.execute("ANALYZE lead_hit")
        first, last = code_range(area)
        today = timezone.localdate()
        given: dict[str, Any] = {
            "first": first,
            "last": last,
            "kinds": list(map(str, kinds)),
            "year": year,
            "due": today + timedelta(days=DUE_DAYS),
            "county_kinds": list(map(str, COUNTY_KINDS)),
            "blocking": list(map(str, BLOCKING_KINDS)),
        }
        counts = []
        for statement in (_INSERT, _CHANGE, _CLOSE):
            cursor.execute(statement, given)
            counts.append(cursor.rowcount)
    kept = KeptLeads(*counts)
    record(
        "leads.keep", by=None, area=area, kinds=sorted(given["kinds"]), year=year,
        opened=kept.opened, changed=kept.changed, closed=kept.closed,
    )  # fmt: skip
    return kept


def owner_of(kind: str, village: int) -> int:
    """The office that looks into a lead of this kind on a card of this village: its township, or its county."""
    return ancestor(village, Level.COUNTY if kind in COUNTY_KINDS else Level.TOWNSHIP)


def _copy(cursor: Any, hits: Iterable[Hit], kinds: Collection[str]) -> None:
    strange: list[str] = []

    def rows() -> Iterator[tuple[Any, ...]]:
        for hit in hits:
            if hit.kind not in kinds:
                strange.append(hit.kind)
                return
            facts = {"parameters": dict(hit.parameters)}
            basis = hit.basis or json.dumps(facts, sort_keys=True, ensure_ascii=False)
            mark = hashlib.sha256(f"{hit.kind}\t{hit.rule}\t{basis}".encode()).digest()
            yield hit.household, hit.person, hit.kind, hit.rule, min(1.0, max(0.0, hit.score)), facts, mark

    copy_rows(cursor, "lead_hit", ("household", "person", "kind", "code", "score", "facts", "mark"), rows())
    if strange:
        raise ValueError(f"a hit of kind {strange[0]} among {sorted(kinds)}")


_SUREST = """
    surest AS (
        SELECT DISTINCT ON (hit.household, hit.person, hit.kind, hit.code) hit.*, card.village_id
        FROM lead_hit hit JOIN households_household card ON card.id = hit.household
        WHERE card.village_id BETWEEN %(first)s AND %(last)s AND card.status <> 'closed'
        ORDER BY hit.household, hit.person, hit.kind, hit.code, hit.score DESC, hit.mark
    )
"""
_SAME = (
    "f.household_id = s.household AND f.person_id IS NOT DISTINCT FROM s.person AND f.kind = s.kind AND f.code = s.code"
)

_INSERT = f"""
    WITH {_SUREST}
    INSERT INTO households_finding (
        household_id, person_id, village_id, kind, code, severity, mark, blocks, facts, score, year, owner_id, due_on,
        explanation, return_reason, visit_note, answer, no_visit_reason, hand_reason, decision, reason)
    SELECT s.household, s.person, s.village_id, s.kind, s.code, 'yellow', s.mark, s.kind = ANY (%(blocking)s), s.facts,
           s.score, %(year)s,
           CASE WHEN s.kind = ANY (%(county_kinds)s) THEN s.village_id - s.village_id %% 1000000
                ELSE s.village_id - s.village_id %% 1000 END,
           %(due)s, '', '', '', '', '', '', '', ''
    FROM surest s
    WHERE NOT EXISTS (SELECT 1 FROM households_finding f WHERE {_SAME} AND (f.decided_at IS NULL
                      OR f.decision IN ('confirmed', 'dismissed') AND f.mark = s.mark))
"""  # noqa: S608 (constants of this module)
_CHANGE = f"""
    WITH {_SUREST}
    UPDATE households_finding f SET facts = s.facts, score = s.score, mark = s.mark, year = %(year)s
    FROM surest s
    WHERE {_SAME} AND f.decided_at IS NULL
      AND (f.mark <> s.mark OR f.facts <> s.facts OR abs(f.score - s.score) > 0.001)
"""  # noqa: S608 (constants of this module)
_CLOSE = """
    UPDATE households_finding f SET decision = 'corrected', decided_at = now()
    WHERE f.village_id BETWEEN %(first)s AND %(last)s AND f.kind = ANY (%(kinds)s) AND f.decided_at IS NULL
      AND NOT EXISTS (SELECT 1 FROM lead_hit s WHERE f.household_id = s.household
                      AND f.person_id IS NOT DISTINCT FROM s.person AND f.kind = s.kind AND f.code = s.code)
"""
