"""The comparison: members of cards against department registers, set-based; hits become leads, never decisions.

One query a register and county joins entries and open members by the keyed hash of the number; the rules (domain:
register_rules) judge household by household what comes back; services.leads keeps the hits.
"""

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.utils import timezone

from changde.accounts.models import User
from changde.audit.services import record
from changde.bulk.copy import sql_text
from changde.divisions.codes import Level, code_range, level_of
from changde.divisions.models import Division
from changde.jobs.models import Job
from changde.jobs.services import enqueue
from households.domain.register_rules import CardFacts, Found, Match, Member, judge, kinds_of, rules
from households.domain.registers import REGISTERS
from households.domain.years import last_full_year
from households.models import RegisterVersion
from households.services.leads import Hit, KeptLeads, keep_leads

# Kinds of leads that registers open.
KINDS: tuple[str, ...] = tuple(dict.fromkeys(kind for register in REGISTERS for kind in kinds_of(register)))
COMPARE_JOB = "compare_registers"
CITY = 430700000000
_MATCHES = Path(__file__).parent.parent / "sql" / "register_matches.sql"
_FETCHED = 5000

Progress = Callable[[int, int], None]


def hits(
    *,
    first: int,
    last: int,
    year: int,
    registers: Collection[str] = tuple(REGISTERS),
    versions: Sequence[RegisterVersion] | None = None,
) -> Iterator[Hit]:
    """Hits on open households of a range of villages, each beside its latest sheet up to `year`.

    Read from the versions in force, or from `versions` alone (what a draft would bring). The query is over when this
    returns: hits may be fed into a COPY of the same connection.
    """
    in_force = RegisterVersion.objects.in_force().filter(kind__in=registers).defer("file_cipher")
    chosen = list(in_force) if versions is None else versions
    found: list[Hit] = []
    for register in registers:
        of_register = [version for version in chosen if version.kind == register]
        if of_register:
            found.extend(_hits(register, of_register, first, last, year))
    return iter(found)


def compare(
    *,
    area: int,
    by: User | None,
    registers: Collection[str] = tuple(REGISTERS),
    year: int | None = None,
    progress: Progress | None = None,
) -> KeptLeads:
    """Compare the cards of an area (a division's code) with the registers and bring its leads to what they say.

    A city is done county by county, each a transaction of its own. `year`: the accounting year, else the last full one.
    """
    year = year or last_full_year(timezone.localdate())
    kinds = [kind for register in registers for kind in kinds_of(register)]
    parts = _parts(area)
    total, kept = len(parts) * len(registers), KeptLeads(0, 0, 0)
    for number, part in enumerate(parts):
        first, last = code_range(part)
        found: list[Hit] = []
        for place, register in enumerate(registers):
            found += hits(first=first, last=last, year=year, registers=[register])
            if progress is not None:
                progress(number * len(registers) + place + 1, total)
        one = keep_leads(found, kinds=kinds, area=part, year=year)
        kept = KeptLeads(kept.opened + one.opened, kept.changed + one.changed, kept.closed + one.closed)
    with transaction.atomic():
        record(
            "registers.compare", by=by, area=area, registers=sorted(registers), year=year,
            opened=kept.opened, changed=kept.changed, closed=kept.closed,
        )  # fmt: skip
    return kept


def start_comparison(*, area: int, by: User | None) -> Job:
    """Have the area compared with all registers in the background."""
    return enqueue(COMPARE_JOB, by=by, area=area, parameters={"area": area})


def start_nightly() -> Job | None:
    """The whole city once a night: cards and members change by day. Nothing to do without a register."""
    if not RegisterVersion.objects.in_force().exists():
        return None
    return start_comparison(area=CITY, by=None)


def foreseen(version: RegisterVersion) -> dict[str, int]:
    """How many hits each rule would have on the area the version covers, were it in force alone."""
    first, last = code_range(version.division_id)
    year = last_full_year(timezone.localdate())
    found = hits(first=first, last=last, year=year, registers=[version.kind], versions=[version])
    return dict(Counter(hit.rule for hit in found))


def _parts(area: int) -> list[int]:
    """What is compared in one go: a county or less."""
    if level_of(area) > Level.CITY:
        return [area]
    counties = Division.objects.within(area).filter(level=Level.COUNTY)
    return list(counties.order_by("code").values_list("code", flat=True))


class _Row(NamedTuple):
    """A row of register_matches.sql."""

    household: int
    status: str
    year: int | None
    attribute: str | None
    per_capita: float | None
    wage_income: float | None
    dibao: float | None
    net_income: float | None
    medical_cost: float | None
    owns_car: bool | None
    owns_machine: bool | None
    owns_flat: bool | None
    owns_company: bool | None
    public_payroll: bool | None
    person: int
    birth_date: Any
    counts: bool | None
    school_status: str | None
    health: list[str] | None
    public_post: bool | None
    member_dibao: bool | None
    residents_insurance: bool | None
    version: int
    facts: str


def _hits(register: str, versions: Sequence[RegisterVersion], first: int, last: int, year: int) -> Iterator[Hit]:
    by_id = {version.pk: version for version in versions}
    for household, group in groupby(_matches(versions, first, last, year), key=lambda row: row.household):
        rows = list(group)
        card = _card(rows[0])
        matches = [_match(row, by_id[row.version]) for row in rows]
        for found in judge(register, card, matches):
            yield Hit(
                household=household,
                kind=rules()[found.rule].kind,
                rule=found.rule,
                score=found.score,
                parameters=found.parameters(card),
                person=found.person,
                basis=_basis(found),
            )


def _matches(versions: Sequence[RegisterVersion], first: int, last: int, year: int) -> Iterator[_Row]:
    ranges = [code_range(version.division_id) for version in versions]
    given: dict[str, Any] = {
        "versions": [version.pk for version in versions],
        "firsts": [begin for begin, _end in ranges],
        "lasts": [end for _begin, end in ranges],
        "first": first,
        "last": last,
        "year": year,
    }
    with connection.chunked_cursor() as cursor:
        cursor.execute(sql_text(_MATCHES), given)
        while rows := cursor.fetchmany(_FETCHED):
            yield from map(_Row._make, rows)


def _card(row: _Row) -> CardFacts:
    return CardFacts(
        status=row.status,
        year=row.year,
        attribute=row.attribute or "",
        per_capita=row.per_capita,
        wage_income=row.wage_income,
        dibao=row.dibao,
        net_income=row.net_income,
        medical_cost=row.medical_cost,
        owns_car=row.owns_car,
        owns_machine=row.owns_machine,
        owns_flat=row.owns_flat,
        owns_company=row.owns_company,
        public_payroll=row.public_payroll,
    )


def _match(row: _Row, version: RegisterVersion) -> Match:
    member = Member(
        person=row.person,
        birth_date=row.birth_date,
        counts=row.counts,
        school_status=row.school_status or "",
        health=tuple(row.health or ()),
        public_post=row.public_post,
        dibao=row.member_dibao,
        residents_insurance=row.residents_insurance,
    )
    return Match(member, json.loads(row.facts), version.pk, version.source, version.as_of)


def _basis(found: Found) -> str:
    """What the lead stands on: the facts, not the version. A decided lead does not come again with the next month's
    table that says the same."""
    return json.dumps({"source": found.of.source, **found.figures}, sort_keys=True, ensure_ascii=False)
