"""A made-up village (domain.city) as lines of COPY for every table the services fill; runs in processes of its own."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
from django.db import models
from pypinyin import Style, lazy_pinyin

from changde.bulk.copy import cell_text
from changde.bulk.loading import default_cells
from changde.crypto.cipher import blind_column, encrypt_column
from households.domain.city import HUNDREDTHS, Block, Village, make_village
from households.domain.city.planted import Planted, plant
from households.models import (
    Household,
    IdentityClaim,
    MemberSheet,
    Membership,
    Person,
    Sheet,
    VillageCard,
)

LOADED: tuple[type[models.Model], ...] = (
    Household, Person, Membership, Sheet, MemberSheet, IdentityClaim, VillageCard,
)  # fmt: skip
_EMPTY = frozenset({"exit_year", "work_months", "hat_removal_year"})  # zero stands for empty
NULL = r"\N"


@dataclass(frozen=True)
class Order:
    """A village to make, and the ids its rows get."""

    village: Village
    first_number: int
    household: int
    person: int
    sheet: int


@dataclass(frozen=True)
class Lines:
    """Rows of one table in the text format of COPY, for the model of this label."""

    label: str
    columns: tuple[str, ...]
    text: bytes
    rows: int


@dataclass(frozen=True)
class CadreRow:
    """A village cadre to write, with the relatives the cadre declared as (relation, name, ID number)."""

    village: int
    name: str
    post: str
    id_number: str
    phone: str
    account: str
    relatives: list[tuple[str, str, str]]


@dataclass
class PlantedRows:
    """What was planted into some villages: truth as (household number, kind), rows of registers, cadres."""

    truth: list[tuple[str, str]] = field(default_factory=list)
    registers: dict[str, list[tuple[Any, ...]]] = field(default_factory=dict)
    cadres: list[CadreRow] = field(default_factory=list)

    def add(self, other: "PlantedRows") -> None:
        self.truth += other.truth
        self.cadres += other.cadres
        for kind, rows in other.registers.items():
            self.registers.setdefault(kind, []).extend(rows)


@dataclass(frozen=True)
class Made:
    """Some villages: how many households, their lines table by table, and what was planted."""

    households: int
    lines: list[Lines]
    planted: PlantedRows


def make_lines(seed: int, orders: Sequence[Order], planting: bool = False) -> Made:
    """The villages of the orders; with `planting` also what people hide and invent (domain.city.planted)."""
    parts: dict[str, list[Lines]] = {}
    rows = PlantedRows()
    for order in orders:
        block, planted = make_village(order.village, seed, order.first_number), Planted()
        if planting:
            block, planted = plant(block, seed)
            rows.add(_planted_rows(block, planted))
        for lines in _village(block, order, planted):
            parts.setdefault(lines.label, []).append(lines)
    joined = [
        Lines(label, some[0].columns, b"".join(each.text for each in some), sum(each.rows for each in some))
        for label, some in parts.items()
    ]
    return Made(sum(order.village.households for order in orders), joined, rows)


def _planted_rows(block: Block, planted: Planted) -> PlantedRows:
    homes, members = block.households, block.members
    heads = np.flatnonzero(members["position"] == 0)
    cadres = []
    for number, (household, post) in enumerate(planted.cadres):
        head = heads[household]
        declared = [(relation, member) for cadre, member, relation in planted.relatives if cadre == number]
        cadres.append(
            CadreRow(
                block.village.place.code, members["name"][head], post, members["id_number"][head],
                homes["phone"][household], homes["bank_account"][household],
                [(relation, members["name"][member], members["id_number"][member]) for relation, member in declared],
            )
        )  # fmt: skip
    truth = [(str(homes["number"][household]), kind) for household, kind in planted.truth]
    return PlantedRows(truth, planted.registers, cadres)


def _village(block: Block, order: Order, planted: Planted) -> Iterator[Lines]:
    n, members = block.village.households, block.members
    code = str(block.village.place.code)
    household_ids = list(range(order.household, order.household + n))
    person_ids = list(range(order.person, order.person + len(members["name"])))
    of_household = (members["household"] + order.household).tolist()
    hashes = _bytes(blind_column(members["id_number"].tolist(), kind="id"))
    newest = _columns(block.years[-1].sheets)
    facts = _columns(block.households)
    yield _lines(
        Household,
        {
            "id": _text(household_ids),
            "village_id": [code] * n,
            **{name: facts[name] for name in ("number", "group", "address", "head_name", "persons", "bank")},
            **{name: facts[name] for name in ("helper_name", "status", "status_since")},
            **_name_keys("head_", facts["head_name"]),
            **_secret("household.phone", block.households["phone"], household_ids, "phone"),
            **_secret("household.bank_account", block.households["bank_account"], household_ids, "account"),
            **_secret("household.helper_phone", block.households["helper_phone"], household_ids),
            "split_from_id": [
                str(household_ids[planted.split_from[one]]) if one in planted.split_from else NULL for one in range(n)
            ],
            "changed_at": newest["entered_at"],
        },
    )
    facts = _columns(members)
    yield _lines(
        Person,
        {
            "id": _text(person_ids),
            **{name: facts[name] for name in ("number", "name", "sex", "birth_date", "ethnicity", "id_kind")},
            "no_id_reason": facts["no_id_reason"],
            **_name_keys("", facts["name"]),
            **_secret("person.id_number", members["id_number"], person_ids),
            "id_number_hash": hashes,
            **_secret("person.disability_certificate", members["disability_certificate"], person_ids),
            **_secret("person.phone", members["phone"], person_ids, "phone"),
        },
    )
    links = {"household_id": _text(of_household), "person_id": _text(person_ids)}
    ends = [planted.left.get(member) for member in range(len(person_ids))]
    yield _lines(
        Membership,
        links
        | {name: facts[name] for name in ("relation", "position", "since")}
        | {
            "until": [str(end[0]) if end else NULL for end in ends],
            "end_reason": [end[1] if end else "" for end in ends],
        },
    )
    # A number on two cards is held by the first; who left holds none.
    gone = planted.doubles | planted.left.keys()
    held = [number != NULL and member not in gone for member, number in enumerate(hashes)]
    claims = {"number_hash": hashes, **links}
    yield _lines(
        IdentityClaim,
        {name: [cell for cell, has in zip(column, held, strict=True) if has] for name, column in claims.items()},
    )
    for number, year in enumerate(block.years):
        sheet_ids = np.arange(order.sheet + number * n, order.sheet + (number + 1) * n)
        sheets = _columns(year.sheets)
        yield _lines(
            Sheet,
            {
                "id": _text(sheet_ids.tolist()),
                "household_id": _text(household_ids),
                "village_id": [code] * n,
                "year": [str(year.year)] * n,
                **sheets,
                "changed_at": sheets["entered_at"],
            },
        )
        alive = year.alive
        lived = {name: column[alive] for name, column in (members | year.members).items() if name in _OF_MEMBERS}
        yield _lines(
            MemberSheet,
            {
                "sheet_id": _text(sheet_ids[members["household"][alive]].tolist()),
                "person_id": _text(np.array(person_ids)[alive].tolist()),
                **_columns(lived),
            },
        )
    cards = [{name: np.array([value], dtype=object) for name, value in card.items()} for card in block.village_cards]
    for card in cards:
        yield _lines(VillageCard, {"village_id": [code], **_columns(card)})


_OF_MEMBERS = frozenset(field.column for field in MemberSheet._meta.concrete_fields)


# -- columns to text ---------------------------------------------------------------------------------------------------


def _lines(model: type[models.Model], columns: dict[str, list[str]]) -> Lines:
    rows = len(next(iter(columns.values())))
    columns = columns | {name: [cell_text(value)] * rows for name, value in default_cells(model, columns).items()}
    text = "".join(["\t".join(row) + "\n" for row in zip(*columns.values(), strict=True)])
    return Lines(model._meta.label, tuple(columns), text.encode(), rows)


def _columns(columns: dict[str, np.ndarray]) -> dict[str, list[str]]:
    return {name: _cells(name, column) for name, column in columns.items()}


def _cells(name: str, column: np.ndarray) -> list[str]:
    """A column of the city in the text format of COPY."""
    if column.dtype == bool:
        return np.where(column, "t", "f").tolist()
    if name in HUNDREDTHS:
        return [f"{value}e-2" for value in column.tolist()]
    if column.dtype.kind == "M":
        is_time = column.dtype in ("M8[m]", "M8[s]")
        texts = (column if is_time else column.astype("datetime64[D]")).astype(str).tolist()
        zone = "+08" if is_time else ""
        return [NULL if text == "NaT" else text + zone for text in texts]
    if column.dtype != object:
        texts = _text(column.tolist())
        return [NULL if text == "0" else text for text in texts] if name in _EMPTY else texts
    values = column.tolist()
    if values and isinstance(values[0], tuple):
        return [_array(value) for value in values]
    if values and not isinstance(values[0], str):
        return [NULL if name in _EMPTY and not value else cell_text(value) for value in values]
    return values


@cache
def _array(values: tuple[str, ...]) -> str:
    return cell_text(list(values))


def _text(values: Iterable[Any]) -> list[str]:
    return list(map(str, values))


def _bytes(values: Iterable[bytes | None]) -> list[str]:
    return [NULL if value is None else r"\\x" + value.hex() for value in values]


def _secret(field: str, texts: np.ndarray, owners: list[int], kind: str = "") -> dict[str, list[str]]:
    """Ciphertext, and the keyed hash where the number is searched."""
    name, values = field.partition(".")[2], texts.tolist()
    columns = {f"{name}_cipher": _bytes(encrypt_column(values, field=field, owners=owners))}
    if kind:
        columns[f"{name}_hash"] = _bytes(blind_column(values, kind=kind))
    return columns


@cache
def _syllable(character: str) -> tuple[str, str]:
    return lazy_pinyin(character)[0], lazy_pinyin(character, style=Style.FIRST_LETTER)[0]


def _name_keys(prefix: str, full_names: list[str]) -> dict[str, list[str]]:
    """The sort keys of `card_rows.name_keys`, syllable by syllable: the city's names have one reading each."""
    spelled = [[_syllable(character) for character in name] for name in full_names]
    return {
        f"{prefix}pinyin": [" ".join([syllable for syllable, _first in name]) for name in spelled],
        f"{prefix}initials": ["".join([first for _syllable, first in name]) for name in spelled],
    }
