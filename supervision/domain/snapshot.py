"""The canonical form of a posted list: the very bytes that are shown, checksummed and downloaded. Pure.

UTF-8 without a mark, LF at the end of every line, one tab between columns, fields in the order of `_FIELDS` and
`_COLUMNS`. Only masked heads and general causes are let in. Byte-exact definition and a worked example:
docs/publicity.md.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import datetime, timedelta

from supervision.domain.publicity import SHANGHAI, STEPS

TITLE = "常德市建档立卡公示名单 格式1"
NOTHING = "无"
STEP_LABELS = {"first": "第一次公示（村级）", "second": "第二次公示（乡镇级）"}
KIND_LABELS = {
    "identification": "拟识别为贫困户",
    "return": "拟认定为返贫户",
    "marginal": "拟监测：边缘易致贫户",
    "unstable": "拟监测：脱贫不稳定户",
}
# General causes of the card; none names an illness. Anything else is published as 其他.
CAUSES = (
    "因病", "因残", "因学", "因灾", "缺土地", "缺水", "缺技术", "缺劳力", "缺资金", "交通条件落后",
    "自身发展动力不足", "其他",
)  # fmt: skip

_FIELDS = (
    "行政区划代码", "地区", "年度", "环节", "编号", "发布时间", "公示开始", "公示结束", "公示天数", "更正的名单",
    "依据的第一次公示名单", "上一名单校验码", "识别指标版本", "户数", "人数",
)  # fmt: skip
_COLUMNS = ("序号", "户主", "村民小组", "人口", "类别", "主要致贫原因")


class NotCanonical(ValueError):
    """A value may not stand in the public form, or a text is none."""


@dataclass(frozen=True, slots=True)
class Row:
    """One household: number on the list, masked head, group, persons, kind of candidate, general cause."""

    position: int
    head: str
    group: str
    persons: int
    kind: str
    cause: str


@dataclass(frozen=True, slots=True)
class Reference:
    """Another posted list of the village: its number and checksum."""

    number: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Content:
    """Everything a posted list says. Moments are aware; `previous` is the checksum before it in the village's chain."""

    village: int
    area: tuple[str, ...]
    year: int
    step: str
    number: int
    posted_at: datetime
    starts_at: datetime
    ends_at: datetime
    days: int
    corrects: Reference | None
    first: Reference | None
    previous: str | None
    index_version: str
    rows: tuple[Row, ...]

    @property
    def persons(self) -> int:
        return sum(row.persons for row in self.rows)


def public_cause(cause: str) -> str:
    """The general cause that may be shown: a word of the list, 无 when none is known."""
    cause = clean(cause)
    if not cause:
        return NOTHING
    return cause if cause in CAUSES else "其他"


def clean(text: str) -> str:
    """Composed form (NFC), every run of blanks one space, none at the ends, no control or format characters."""
    kept = "".join(
        " " if character.isspace() else character
        for character in text
        if character.isspace() or unicodedata.category(character) not in ("Cc", "Cf", "Cs")
    )
    return " ".join(unicodedata.normalize("NFC", kept).split())


def natural(text: str) -> list[tuple[int, int, str]]:
    """Sort key that counts: 2组 before 10组."""
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in re.split(r"(\d+)", text) if part]


def canonical(content: Content) -> str:
    """The canonical text; encode it as UTF-8 for the bytes. Raises NotCanonical for what may not be public."""
    if content.step not in STEPS:
        raise NotCanonical(f"step {content.step!r}")
    if [row.position for row in content.rows] != list(range(1, len(content.rows) + 1)):
        raise NotCanonical("positions are not 1, 2, 3 ...")
    values = (
        str(content.village),
        " ".join(content.area),
        str(content.year),
        STEP_LABELS[content.step],
        str(content.number),
        content.posted_at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S"),
        content.starts_at.astimezone(SHANGHAI).strftime("%Y-%m-%d 00:00"),
        (content.ends_at - timedelta(days=1)).astimezone(SHANGHAI).strftime("%Y-%m-%d 24:00"),
        str(content.days),
        _reference(content.corrects),
        _reference(content.first),
        content.previous or NOTHING,
        content.index_version,
        str(len(content.rows)),
        str(content.persons),
    )
    lines = [TITLE]
    lines += [f"{name}\t{_cell(value)}" for name, value in zip(_FIELDS, values, strict=True)]
    lines += ["", "\t".join(_COLUMNS)]
    lines += ["\t".join(map(_cell, _row(row))) for row in content.rows]
    return "\n".join(lines) + "\n"


def checksum(text: str) -> str:
    """SHA-256 of the canonical bytes, 64 hexadecimal digits in lower case."""
    return hashlib.sha256(text.encode()).hexdigest()


def parse(text: str) -> Content:
    """The content of a canonical text; `canonical(parse(text)) == text`. Raises NotCanonical for anything else."""
    try:
        content = _parse(text)
    except (ValueError, IndexError, KeyError) as error:
        raise NotCanonical(str(error)) from error
    if canonical(content) != text:
        raise NotCanonical("the text is not in canonical form")
    return content


def _parse(text: str) -> Content:
    lines = text.split("\n")
    head = dict(line.split("\t") for line in lines[1 : 1 + len(_FIELDS)])
    rows = (line.split("\t") for line in lines[3 + len(_FIELDS) : -1])
    kinds = {label: kind for kind, label in KIND_LABELS.items()}
    value = [head[name] for name in _FIELDS]
    ends = datetime.strptime(value[7].removesuffix(" 24:00"), "%Y-%m-%d").replace(tzinfo=SHANGHAI) + timedelta(days=1)
    return Content(
        village=int(value[0]),
        area=tuple(value[1].split(" ")),
        year=int(value[2]),
        step={label: step for step, label in STEP_LABELS.items()}[value[3]],
        number=int(value[4]),
        posted_at=datetime.strptime(value[5], "%Y-%m-%d %H:%M:%S").replace(tzinfo=SHANGHAI),
        starts_at=datetime.strptime(value[6], "%Y-%m-%d %H:%M").replace(tzinfo=SHANGHAI),
        ends_at=ends,
        days=int(value[8]),
        corrects=_read_reference(value[9]),
        first=_read_reference(value[10]),
        previous=None if value[11] == NOTHING else value[11],
        index_version=value[12],
        rows=tuple(Row(int(row[0]), row[1], row[2], int(row[3]), kinds[row[4]], row[5]) for row in rows),
    )


def _reference(reference: Reference | None) -> str:
    return f"{reference.number} {reference.sha256}" if reference else NOTHING


def _read_reference(text: str) -> Reference | None:
    if text == NOTHING:
        return None
    number, sha256 = text.split(" ")
    return Reference(int(number), sha256)


def _row(row: Row) -> tuple[str, ...]:
    if len(row.head) > 1 and "*" not in row.head:
        raise NotCanonical(f"row {row.position}: the head is not masked")
    if row.cause not in (*CAUSES, NOTHING):
        raise NotCanonical(f"row {row.position}: the cause is not a general one")
    if row.kind not in KIND_LABELS:
        raise NotCanonical(f"row {row.position}: kind {row.kind!r}")
    return str(row.position), row.head, row.group, str(row.persons), KIND_LABELS[row.kind], row.cause


def _cell(value: str) -> str:
    if not value or value != clean(value):
        raise NotCanonical(f"{value!r} is empty or holds blanks or control characters")
    return value


# --- scan before posting --------------------------------------------------------------------------

_DIGEST = re.compile(r"(?<![0-9a-z])[0-9a-f]{64}(?![0-9a-z])")
_BETWEEN_DIGITS = re.compile(r"(?<=\d)[ \-]+(?=[\dXx])")
_NUMBER = re.compile(r"(?<!\d)(?:\d{17}[\dXx]|\d{15})(?!\d)")
_LONG_RUN = re.compile(r"\d{11,}[Xx]?")


def personal_numbers(text: str) -> list[str]:
    """Every number of 15 or 18 places in the text: identity numbers, whole or spaced, full width too.

    Checksums of 64 hexadecimal digits are left out: runs of figures in them mean nothing.
    """
    return _NUMBER.findall(_joined(_DIGEST.sub("", text)))


def long_numbers(content: Content) -> Iterator[tuple[int, str]]:
    """Rows (position and column) whose head or group holds eleven figures or more: a phone, an account, an identity."""
    for row in content.rows:
        for field in fields(row):
            value = getattr(row, field.name)
            if isinstance(value, str) and _LONG_RUN.search(_joined(value)):
                yield row.position, field.name


def _joined(text: str) -> str:
    return _BETWEEN_DIGITS.sub("", unicodedata.normalize("NFKC", text))
