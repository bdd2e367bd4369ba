"""A right and a wrong example of every check, as an office writes them (reference/check_examples.csv).

An example says what is different from the sample card (reference/check_example_card.csv), in the words of the workbook:

    户.耕地面积=101；成员2.务工时间=13；成员4.姓名=张强；另.上年人均纯收入=1700

户 is the household with its sheet, 成员N a member (a new number adds one; 成员4-11 means each of them), 另 what other
rows say: 上年人均纯收入, 电话在别村, 离开的成员, 号码在别户 (the member's place), 识别日, 消除日, 更新日, 今天, 标准线.
A value is read as a cell of a workbook is; an empty one empties the field. An ID number can be written 按出生日期
(followed by another area code if need be) or 同成员1. Sums of income follow from the parts unless they are written.
"""

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from importlib.resources import files
from typing import Any

from households.domain import fields, id_number, values
from households.domain.card import Card, Finding, Member, household_from, member_from, sheet_from
from households.domain.card_income import with_income
from households.domain.checks.core import RED, Beside, Context, run

RIGHT, WRONG = "对", "错"
_HOUSEHOLD, _MEMBER, _BESIDE = "户", "成员", "另"
_SUMS = {"转移性收入": "transfer_income", "家庭年纯收入": "net_income", "人均纯收入": "per_capita_income"}
_AREA = "430725"

# who (户, 成员N, 另) -> header -> what is written
Written = dict[str, dict[str, str]]


@dataclass(frozen=True, slots=True)
class Example:
    """A line of check_examples.csv."""

    check_id: str
    verdict: str
    changes: str
    note: str
    line: int

    def findings(self, context: Context) -> list[Finding]:
        """Everything all checks say about the sample card with the changes of this example."""
        card, unread, beside = read(self.changes)
        line = beside.pop("line", context.line)
        found = run(card, replace(context, line=line, beside=Beside(**beside)))
        seen = {(each.member, each.attributes[0]) for each in unread}
        return [*unread, *(each for each in found if (each.member, each.attributes[0]) not in seen)]


class Unreadable(ValueError):
    """An example that cannot be read; says where and why."""


@cache
def examples() -> tuple[Example, ...]:
    """All examples in the order of the file. Raises Unreadable for a line nobody can read."""
    with (files("households") / "reference" / "check_examples.csv").open(encoding="utf-8-sig") as lines:
        return tuple(
            Example(row["检查"], row["对错"], row["改动"] or "", row["说明"] or "", number)
            for number, row in enumerate(csv.DictReader(lines), 2)
        )


@cache
def _sample() -> Mapping[str, Mapping[str, str]]:
    written: Written = {}
    with (files("households") / "reference" / "check_example_card.csv").open(encoding="utf-8-sig") as lines:
        for row in csv.DictReader(lines):
            written.setdefault(row["谁"], {})[row["栏目"]] = row["内容"] or ""
    return written


def read(changes: str) -> tuple[Card, list[Finding], dict[str, Any]]:
    """The sample card with `changes`: the typed card, the cells that could not be read, and what is known beside it."""
    written: Written = {who: dict(facts) for who, facts in _sample().items()}
    usual = written.pop(_MEMBER)
    for who, header, text in _changes(changes):
        written.setdefault(who, dict(usual) if who.startswith(_MEMBER) else {})[header] = text
    for who in list(written):
        if who.startswith(_MEMBER):
            written[who] = usual | written[who]
    beside = dict(_beside(written.pop(_BESIDE, {})))
    unread: list[Finding] = []
    household = _typed(fields.HOUSEHOLD_SHEET, written[_HOUSEHOLD], None, unread)
    places = sorted((int(who.removeprefix(_MEMBER)), who) for who in written if who.startswith(_MEMBER))
    members: list[Member] = []
    for index, (place, who) in enumerate(places):
        members.append(_member(place, written[who], index, members, unread))
    card = Card(household_from(household), sheet_from(household), tuple(members))
    return _with_sums(card, written[_HOUSEHOLD]), unread, beside


def _changes(text: str) -> Iterator[tuple[str, str, str]]:
    for part in filter(None, (each.strip() for each in text.split("；"))):
        found = re.fullmatch(r"(户|另|成员(\d+)(?:-(\d+))?)\.([^=]+)=(.*)", part)
        if found is None:
            raise Unreadable(part)
        who, first, last, header, value = found.groups()
        if first is None:
            yield who, header, value
            continue
        for place in range(int(first), int(last or first) + 1):
            yield f"{_MEMBER}{place}", header, value


def _typed(
    sheet: str, written: Mapping[str, str], member: int | None, unread: list[Finding]
) -> dict[str, values.Value]:
    typed: dict[str, values.Value] = {}
    for header, text in written.items():
        of = fields.by_header(sheet, header)
        if of is None:
            raise Unreadable(header)
        value = values.parse(of, float(text) if re.fullmatch(r"\d\.\d+E\+\d+", text) else text)
        if isinstance(value, values.Bad):
            unread.append(Finding(value.check_id, RED, member, (of.attribute,), value.parameters))
        else:
            typed[of.attribute] = value
    return typed


def _member(place: int, written: Mapping[str, str], index: int, earlier: list[Member], unread: list[Finding]) -> Member:
    number = written.get("证件号码", "")
    facts = _typed(fields.MEMBER_SHEET, {**written, "证件号码": ""}, index, unread)
    if number.startswith("按出生日期"):
        facts["id_number"] = _number(place, facts, number.removeprefix("按出生日期").strip() or _AREA)
    elif number.startswith("同成员"):
        facts["id_number"] = earlier[int(number.removeprefix("同成员")) - 1].id_number
    else:
        facts |= _typed(fields.MEMBER_SHEET, {"证件号码": number}, index, unread)
    certificate = written.get("残疾证号", "")
    if certificate.startswith("按证件号码"):
        facts["disability_certificate"] = f"{facts['id_number']}{certificate.removeprefix('按证件号码')}"
    return member_from(facts)


def _number(place: int, facts: Mapping[str, values.Value], area: str) -> str:
    """A made-up number that fits birth date and sex."""
    birth = facts["birth_date"]
    if not isinstance(birth, date):
        raise Unreadable("出生日期")
    serial = place * 10 + (1 if facts.get("sex") == id_number.MALE else 2)
    first_17 = f"{area}{birth:%Y%m%d}{serial:03d}"
    return first_17 + id_number.check_character(first_17)


def _with_sums(card: Card, written: Mapping[str, str]) -> Card:
    given = {attribute: getattr(card.sheet, attribute) for header, attribute in _SUMS.items() if header in written}
    card = with_income(card)
    sheet = replace(card.sheet, **given)
    if "net_income" in given and "per_capita_income" not in given and sheet.net_income is not None and card.counted:
        share = (sheet.net_income / card.counted).quantize(Decimal("0.01"), ROUND_HALF_UP)
        sheet = replace(sheet, per_capita_income=share)
    return replace(card, sheet=sheet)


def _beside(written: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
    for header, text in written.items():
        name, kind = _BESIDE_WORDS[header]
        if kind is date:
            yield name, date.fromisoformat(text)
        elif kind is bool:
            yield name, text == "是"
        elif kind is tuple:
            yield name, tuple(int(each) - (name == "numbers_elsewhere") for each in text.split("、"))
        else:
            yield name, Decimal(text)


_BESIDE_WORDS: Mapping[str, tuple[str, type]] = {
    "上年人均纯收入": ("last_per_capita", Decimal),
    "电话在别村": ("phone_elsewhere", bool),
    "离开的成员": ("left", tuple),
    "号码在别户": ("numbers_elsewhere", tuple),
    "识别日": ("identified", date),
    "消除日": ("risk_removed", date),
    "更新日": ("touched", date),
    "今天": ("today", date),
    "标准线": ("line", Decimal),
}
