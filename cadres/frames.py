"""Rows to the values the domain computes with, and the reference tables the domain is given."""

import csv
import json
from collections.abc import Iterable, Mapping
from datetime import date
from fractions import Fraction
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from cadres.domain.fit import Candidate, PresentPost
from cadres.domain.needs import NeedRow, NeedRules, VillageFacts
from cadres.domain.posts import VillagePoverty
from cadres.models import Cadre, Posting, Unit, VillageNeed
from changde.bulk.copy import run_sql
from changde.divisions.codes import Level, ancestor, code_range, level_of

SQL = Path(__file__).parent / "sql"
GUARANTEES = {"water": "饮水安全", "housing": "住房安全", "uninsured": "基本医疗", "out_of_school": "义务教育"}


# --- reference tables -----------------------------------------------------------------------------------------------


def _reference(name: str) -> list[dict[str, str]]:
    text = files("cadres").joinpath(f"reference/{name}").read_text(encoding="utf-8-sig")
    return list(csv.DictReader(text.splitlines()))


@cache
def need_rules() -> NeedRules:
    """Default rules of needs: cause_skills.csv and need_skills.csv."""
    skills: dict[str, dict[str, dict[str, Fraction]]] = {"cause": {}}
    for row in _reference("cause_skills.csv"):
        skills["cause"].setdefault(row["cause"], {})[row["skill"]] = Fraction(row["weight"])
    for row in _reference("need_skills.csv"):
        skills.setdefault(row["part"], {}).setdefault(row["key"], {})[row["skill"]] = Fraction(row["weight"])
    return NeedRules(skills=skills)


@cache
def dialect_counties() -> Mapping[str, frozenset[int]]:
    """In which counties a dialect is spoken (dialects.csv); a dialect may be named with or without 话."""
    counties: dict[str, set[int]] = {}
    for row in _reference("dialects.csv"):
        for name in (row["dialect"], row["dialect"].removesuffix("话")):
            counties.setdefault(name, set()).add(int(row["county"]))
    return {name: frozenset(codes) for name, codes in counties.items()}


# --- villages -------------------------------------------------------------------------------------------------------


def latest_year(division: int) -> int | None:
    """The latest accounting year with sheets in the area; None without any card."""
    first, last = code_range(division)
    return run_sql(SQL / "latest_year.sql", {"first": first, "last": last})[0]["year"]


def village_rows(division: int, year: int) -> list[dict[str, Any]]:
    """The facts of every village with cards, counted by Postgres (sql/village_facts.sql)."""
    first, last = code_range(division)
    return run_sql(SQL / "village_facts.sql", {"first": first, "last": last, "year": year})


def facts_of(row: Mapping[str, Any]) -> VillageFacts:
    # Django leaves jsonb to be read by its own fields: a bare cursor gets text
    return VillageFacts(
        village=row["village"],
        households=row["registered_households"],
        main_causes=json.loads(row["main_causes"]),
        other_causes=json.loads(row["other_causes"]),
        gaps={name: row[column] for column, name in GUARANTEES.items()},
        households_without_labour=row["without_labour"],
        idle_members=int(row["idle"]),
        able_members=int(row["able"]),
        industries=tuple(row["industries"]),
    )


def row_values(row: NeedRow) -> dict[str, Any]:
    """A step of the explanation as plain values; amounts in ten-thousandths of the whole, rounded for reading."""
    return {
        "part": row.part,
        "key": row.key,
        "count": float(row.count),
        "total": float(row.total),
        "share": round(float(row.count / row.total), 4),
        "skill": row.skill,
        "amount": round(float(row.amount), 6),
    }


def poverty_of(need: VillageNeed) -> VillagePoverty:
    return VillagePoverty(
        village=need.village_id,
        rural=need.village.is_rural,
        registered_households=need.registered_households,
        registered_persons=need.registered_persons,
        rural_persons=need.rural_persons,
    )


# --- cadres ---------------------------------------------------------------------------------------------------------


def is_of_the_city(unit: Unit) -> bool:
    """A unit of the city itself: at the city's own code, or a department of the city wherever its office stands."""
    return unit.kind == Unit.Kind.CITY_DEPARTMENT or level_of(unit.division_id) == Level.CITY


def candidate_of(cadre: Cadre, present: Posting | None = None) -> Candidate:
    """`cadre` with unit and skills prefetched, and the posting held now."""
    level = level_of(cadre.unit.division_id)
    return Candidate(
        staff_number=cadre.staff_number,
        unit=str(cadre.unit_id),
        unit_county=None if level == Level.CITY else ancestor(cadre.unit.division_id, Level.COUNTY),
        city_unit=is_of_the_city(cadre.unit),
        skills={skill.skill: skill.level for skill in cadre.skills.all()},
        political_status=cadre.political_status or None,
        roles=frozenset(cadre.possible_roles),
        dialect_counties=_spoken(cadre.dialects),
        wished_counties=frozenset(cadre.wished_counties),
        home_village=cadre.home_village,
        avoid_villages=frozenset(cadre.avoid_villages),
        rural_years=cadre.rural_years,
        assessment=cadre.last_assessment or None,
        available_from=cadre.available_from,
        available_to=cadre.available_to,
        present=None if present is None else PresentPost(present.village_id, present.role, present.planned_end),
    )


def _spoken(dialects: Iterable[str]) -> frozenset[int] | None:
    names = list(dialects)
    if not names:
        return None
    known = dialect_counties()
    return frozenset().union(*(known.get(name, frozenset()) for name in names))


def pool(division: int, *, whole_city: bool, start: date) -> list[Candidate]:
    """Who can be proposed: cadres of the whole city, or of the units of the county and of the city; never one who holds
    a post in a village outside `division` beyond `start`, for that village would lose its cadre to this plan."""
    cadres = Cadre.objects.select_related("unit").prefetch_related("skills").order_by("staff_number")
    if not whole_city:
        county = ancestor(division, Level.COUNTY) if level_of(division) > Level.CITY else division
        city = Unit.objects.filter(division_id=ancestor(division, Level.CITY))
        departments = Unit.objects.filter(kind=Unit.Kind.CITY_DEPARTMENT)
        units = Unit.objects.within(county) | city | departments
        cadres = cadres.filter(unit__in=units)
    present = {posting.cadre_id: posting for posting in Posting.objects.open()}
    inside = code_range(division)
    return [
        candidate_of(cadre, posting)
        for cadre in cadres
        if (posting := present.get(cadre.pk)) is None
        or inside[0] <= posting.village_id <= inside[1]
        or posting.planned_end <= start
    ]


def quotas(candidates: Iterable[Candidate]) -> dict[str, int]:
    """The most cadres each unit gives, by unit id as in Candidate.unit."""
    units = {int(candidate.unit) for candidate in candidates}
    return {str(unit.pk): unit.quota for unit in Unit.objects.filter(pk__in=units) if unit.quota is not None}
