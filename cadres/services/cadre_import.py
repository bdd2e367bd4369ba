"""Cadres from a workbook: rows that are right go in, the others come back with sheet, row, column and reason."""

import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from pypinyin import Style, lazy_pinyin

from cadres import messages
from cadres.domain import cadre_row
from cadres.domain.cadre_row import CadreRow, Places, Problem, field_of
from cadres.models import Cadre, CadreSkill, Unit
from changde.accounts.areas import covers
from changde.accounts.models import User
from changde.accounts.refusal import Refusal
from changde.audit.services import record
from changde.bulk.copy import allocate_ids
from changde.crypto.cipher import blind_index, encrypt
from changde.divisions.codes import Level
from changde.divisions.models import Division
from households.domain.fields import Field
from households.domain.values import SHIFT_1904
from households.domain.workbook import ReadLimits, Workbook, WorkbookRefused, open_workbook
from households.messages import workbook_message

LIMITS = ReadLimits(file=20 << 20, inflated=200 << 20, rows=20_000, seconds=60)
_TEXTS = ("name", "sex", "position", "rank", "political_status", "education", "major", "last_assessment")
_LISTS = ("dialects", "avoid_villages", "wished_counties", "possible_roles")
_PLAIN = ("home_village", "rural_years", "available_from", "available_to")


@dataclass(frozen=True)
class RefusedRow:
    """Where a row is wrong and why, in words."""

    sheet: str
    row: int
    column: str
    reason: str


@dataclass
class ImportSummary:
    """Rows: read = created + updated + unchanged + refused_rows; a refused row may have several reasons."""

    read: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    refused_rows: int = 0
    refused: list[RefusedRow] = field(default_factory=list)
    unknown_columns: tuple[str, ...] = ()

    @property
    def accepted(self) -> int:
        return self.created + self.updated + self.unchanged


def import_cadres(*, source: Path | BinaryIO, by: User | None) -> ImportSummary:
    """Create and update cadres by staff number. Raises Refusal when the workbook as a whole cannot be taken.

    A column that is missing leaves its facts untouched; an empty cell clears a fact, but never an ID number or a phone
    (a list is often passed on without them). Without `by` (the command) cadres of the whole city may be written.
    """
    try:
        with _as_file(source) as file:
            book, sheet = _open(file)
    except WorkbookRefused as refused:
        raise Refusal(refused.code, workbook_message(refused)) from refused
    with book:
        table = book.tables[sheet]
        shift = SHIFT_1904 if book.date1904 else 0
        places = _places()
        rows = [cadre_row.read_row(row, table, places, serial_shift=shift) for row in book.rows(sheet)]
    if not rows:
        raise Refusal("workbook-empty", _("工作簿中没有任何干部"))
    summary = ImportSummary(read=len(rows), unknown_columns=table.unknown)
    return _Import(summary, sheet, by).run(rows)


@contextmanager
def _as_file(source: Path | BinaryIO) -> Iterator[BinaryIO]:
    """A file of the system: the reader is a child process, and small uploads are held in memory."""
    with source.open("rb") if isinstance(source, Path) else tempfile.TemporaryFile() as file:
        if not isinstance(source, Path):
            shutil.copyfileobj(source, file)
        yield file


def _open(source: BinaryIO) -> tuple[Workbook[Field], str]:
    """The sheet 干部信息, else the first sheet that has the header of cadres."""
    try:
        return open_workbook(source, [cadre_row.layout()], LIMITS), cadre_row.SHEET
    except WorkbookRefused as refused:
        if refused.code != "sheet-missing":
            raise
        for name in refused.facts.get("found", ()):
            try:
                return open_workbook(source, [cadre_row.layout(name)], LIMITS), name
            except WorkbookRefused as other:
                if other.code != "header-missing":
                    raise
        raise


def _places() -> Places:
    divisions = list(Division.objects.current().values_list("code", "name", "level"))
    return Places(
        villages={code for code, _name, level in divisions if level == Level.VILLAGE},
        others={code for code, _name, level in divisions if level != Level.VILLAGE},
        counties={name: code for code, name, level in divisions if level == Level.COUNTY},
    )


class _Import:
    """One workbook going in, in one transaction with its audit event."""

    def __init__(self, summary: ImportSummary, sheet: str, by: User | None) -> None:
        self.summary, self.sheet, self.by = summary, sheet, by
        self.seen: dict[str, int] = {}
        self.numbers: dict[bytes, str] = {}
        self.units: dict[tuple[str, int], Unit] = {}
        self.existing: dict[str, Cadre] = {}
        self.skills: dict[int, dict[str, int]] = {}

    @transaction.atomic
    def run(self, rows: list[CadreRow]) -> ImportSummary:
        self._look_up(rows)
        good = [row for row in rows if self._judged(row)]
        new = [row for row in good if row.facts["staff_number"] not in self.existing]
        ids = iter(allocate_ids(Cadre, len(new)))
        created, updated, skills = [], [], {}
        for row in good:
            cadre = self.existing.get(row.facts["staff_number"])
            if cadre is None:
                cadre = Cadre(pk=next(ids), staff_number=row.facts["staff_number"])
                created.append(cadre)
            elif not self._differs(cadre, row):
                self.summary.unchanged += 1
                continue
            else:
                cadre.version += 1
                cadre.changed_at = timezone.now()
                updated.append(cadre)
            self._fill(cadre, row)
            if "skills" in row.facts:
                skills[cadre.pk] = row.facts["skills"] or {}
        self._write(created, updated, skills)
        record(
            "cadres.import_cadres",
            by=self.by,
            read=self.summary.read,
            created=self.summary.created,
            updated=self.summary.updated,
            refused=self.summary.refused_rows,
        )
        return self.summary

    def _look_up(self, rows: list[CadreRow]) -> None:
        """What the rows meet in the database: cadres by staff number and by ID number, units by name."""
        wanted = {row.facts.get("staff_number") for row in rows if row.facts.get("staff_number")}
        found = Cadre.objects.select_for_update(of=("self",)).select_related("unit").filter(staff_number__in=wanted)
        self.existing = {cadre.staff_number: cadre for cadre in found}
        hashes = [blind_index(row.facts["id_number"], kind="id") for row in rows if row.facts.get("id_number")]
        holders = Cadre.objects.filter(id_number_hash__in=hashes).values_list("id_number_hash", "staff_number")
        self.numbers = {bytes(number): staff for number, staff in holders if number is not None}
        names = {row.facts["unit"] for row in rows if row.facts.get("unit")}
        self.units = {(unit.name, unit.division_id): unit for unit in Unit.objects.filter(name__in=names)}
        by_cadre = CadreSkill.objects.filter(cadre__in=found)
        for skill in by_cadre:
            self.skills.setdefault(skill.cadre_id, {})[skill.skill] = skill.level

    # --- judging ---------------------------------------------------------------------------------------------------

    def _judged(self, row: CadreRow) -> bool:
        """Whether the row goes in; its problems are told either way."""
        problems = list(row.problems) or list(self._problems(row))
        if not problems:
            self.seen[row.facts["staff_number"]] = row.number
            return True
        self.summary.refused_rows += 1
        self.summary.refused += [
            RefusedRow(self.sheet, row.number, one.column, messages.row_problem(one.code, one.parameters))
            for one in problems
        ]
        return False

    def _problems(self, row: CadreRow) -> Iterable[Problem]:
        """What only the database and the other rows can tell; the first problem is enough."""
        staff = row.facts["staff_number"]
        if staff in self.seen:
            yield Problem(field_of("staff_number").header, "staff-number-twice", {"row": self.seen[staff]})
            return
        cadre = self.existing.get(staff)
        if cadre is not None and not self._may_write(cadre.unit.division_id):
            yield Problem(field_of("staff_number").header, "cadre-elsewhere")
            return
        unit = self._unit(row.facts)
        if unit is None:
            yield Problem(field_of("unit_division").header, "unit-place-missing")
            return
        if not self._may_write(unit.division_id):
            yield Problem(field_of("unit_division").header, "unit-outside")
            return
        hash_ = blind_index(row.facts.get("id_number"), kind="id")
        if hash_ and self.numbers.setdefault(hash_, staff) != staff:
            yield Problem(field_of("id_number").header, "id-number-taken")

    def _may_write(self, division: int) -> bool:
        return self.by is None or covers(self.by, "manage_cadres", division)

    def _unit(self, facts: Mapping[str, Any]) -> Unit | None:
        """The unit by name and place, a new one unsaved: a row refused later must leave no unit behind. Without a place
        the name must be known exactly once, else None."""
        name, division = facts["unit"], facts.get("unit_division")
        if division is None:
            known = [unit for (of_name, _place), unit in self.units.items() if of_name == name]
            return known[0] if len(known) == 1 else None
        kind = facts.get("unit_kind") or Unit.Kind.OTHER
        return self.units.setdefault((name, division), Unit(name=name, division_id=division, kind=kind))

    # --- writing ---------------------------------------------------------------------------------------------------

    def _differs(self, cadre: Cadre, row: CadreRow) -> bool:
        facts = row.facts
        unit = self._unit(facts)
        numbers = [("id_number", "id"), ("phone", "phone")]
        return (
            unit is None
            or unit.pk != cadre.unit_id
            or any(getattr(cadre, name) != value for name, value in _plain_values(facts))
            or any(
                facts.get(name) and blind_index(facts[name], kind=kind) != bytes(getattr(cadre, f"{name}_hash") or b"")
                for name, kind in numbers
            )
            or ("skills" in facts and (facts["skills"] or {}) != self.skills.get(cadre.pk, {}))
        )

    def _fill(self, cadre: Cadre, row: CadreRow) -> None:
        unit = self._unit(row.facts)
        if unit is not None:  # a row without a unit was refused
            if unit.pk is None:
                unit.save()
            cadre.unit = unit
        for name, value in _plain_values(row.facts):
            setattr(cadre, name, value)
        cadre.pinyin = " ".join(lazy_pinyin(cadre.name))
        cadre.initials = "".join(lazy_pinyin(cadre.name, style=Style.FIRST_LETTER))
        for name, kind in (("id_number", "id"), ("phone", "phone")):
            if row.facts.get(name):
                setattr(cadre, f"{name}_cipher", encrypt(row.facts[name], field=f"cadre.{name}", owner=cadre.pk))
                setattr(cadre, f"{name}_hash", blind_index(row.facts[name], kind=kind))

    def _write(self, created: list[Cadre], updated: list[Cadre], skills: dict[int, dict[str, int]]) -> None:
        Cadre.objects.bulk_create(created, batch_size=500)
        columns = [one.name for one in Cadre._meta.concrete_fields if one.name not in ("id", "staff_number")]
        Cadre.objects.bulk_update(updated, columns, batch_size=200)
        CadreSkill.objects.filter(cadre__in=skills).delete()
        CadreSkill.objects.bulk_create(
            [
                CadreSkill(cadre_id=pk, skill=name, level=level)
                for pk, one in skills.items()
                for name, level in one.items()
            ],
            batch_size=1000,
        )
        self.summary.created, self.summary.updated = len(created), len(updated)


def _plain_values(facts: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
    """Attributes of the row that are columns as they are; an empty text is "", an empty list []."""
    for name in _TEXTS:
        if name in facts:
            yield name, facts[name] or ""
    for name in _LISTS:
        if name in facts:
            yield name, list(facts[name] or ())
    for name in _PLAIN:
        if name in facts:
            yield name, facts[name]
