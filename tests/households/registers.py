"""Tables of department registers for tests: as an office would send them."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

import openpyxl

from households.domain.registers import open_register
from households.models import RegisterVersion
from households.services import registers
from tests.personas import CITY

AS_OF = date(2019, 10, 31)


def table(*rows: Sequence[Any], sheets: Iterable[str] = ("Sheet",)) -> io.BytesIO:
    """A workbook whose last sheet holds the rows; those before it are notes."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    names = list(sheets)
    for name in names[:-1]:
        book.create_sheet(name).append(["填报说明"])
    last = book.create_sheet(names[-1])
    for row in rows:
        last.append(row)
    file = io.BytesIO()
    book.save(file)
    file.seek(0)
    return file


def text_table(*rows: Sequence[Any]) -> io.BytesIO:
    """The same as CSV, which is read faster."""
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return io.BytesIO(text.getvalue().encode())


def cars(*numbers: str, **values: Any) -> io.BytesIO:
    """A vehicle register with a car of each number."""
    price, kind = values.get("price", 100763), values.get("kind", "小型轿车")
    rows = [[number, f"湘J{place:05d}", kind, "2018-03-11", price] for place, number in enumerate(numbers, 1)]
    return text_table(["证件号码", "车牌号", "车型", "登记日期", "购置价"], *rows)


def bring(file: io.BytesIO, kind: str = "vehicle", **values: Any) -> RegisterVersion:
    """A version checked, not yet in force."""
    from changde.divisions.models import Division

    given = {"by": None, "source": "车管所", "as_of": AS_OF, "file_name": "登记.xlsx", **values}
    division = Division.objects.get(pk=given.pop("area", CITY))
    version = registers.bring(kind=kind, division=division, file=file, in_background=False, **given)
    file.seek(0)
    with open_register(file, kind) as opened:
        return registers.check(version=version, table=opened)


def take(file: io.BytesIO, kind: str = "vehicle", **values: Any) -> RegisterVersion:
    """A version in force, and compared."""
    version = registers.accept(version=bring(file, kind, **values), by=None, in_background=False)
    registers.compare_version(version=version, by=None)
    version.refresh_from_db()
    return version
