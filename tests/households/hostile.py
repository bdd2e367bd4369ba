"""Workbooks nobody should trust, made by hand so that they can lie."""

import io
import zipfile
from collections.abc import Iterable
from typing import Any

import openpyxl

NAMESPACE = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
HOUSEHOLD_HEADERS = ("户编号", "行政村编码", "户主证件号码", "年度")
MEMBER_HEADERS = ("户编号", "姓名", "证件号码", "与户主关系")
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def sheet_xml(rows: str, dimension: str = "") -> str:
    declared = f'<dimension ref="{dimension}"/>' if dimension else ""
    return f'<?xml version="1.0"?><worksheet xmlns="{NAMESPACE}">{declared}<sheetData>{rows}</sheetData></worksheet>'


def text_row(number: int, texts: Iterable[str]) -> str:
    cells = "".join(f'<c t="inlineStr"><is><t>{text}</t></is></c>' for text in texts)
    return f'<row r="{number}">{cells}</row>'


def archive(
    households: str | None = None,
    members: str | None = None,
    shared: Iterable[bytes] | None = None,
    extra: dict[str, bytes] | None = None,
) -> io.BytesIO:
    """A workbook of the two sheets from raw XML; `shared` is fed in pieces, so that it may be huge."""
    sheets = {
        "户信息": households or sheet_xml(text_row(1, HOUSEHOLD_HEADERS)),
        "人信息": members or sheet_xml(text_row(1, MEMBER_HEADERS)),
    }
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{_RELATIONS}"><Relationship Id="r1" Type="{_OFFICE}/officeDocument" '
            'Target="xl/workbook.xml"/></Relationships>',
        )
        listed = "".join(
            f'<sheet name="{name}" sheetId="{number}" r:id="s{number}"/>' for number, name in enumerate(sheets, 1)
        )
        packed.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{NAMESPACE}" xmlns:r="{_OFFICE}"><sheets>{listed}</sheets></workbook>',
        )
        targets = "".join(
            f'<Relationship Id="s{number}" Type="{_OFFICE}/worksheet" Target="worksheets/{number}.xml"/>'
            for number in (1, 2)
        )
        texts = f'<Relationship Id="t" Type="{_OFFICE}/sharedStrings" Target="sharedStrings.xml"/>' if shared else ""
        packed.writestr(
            "xl/_rels/workbook.xml.rels", f'<Relationships xmlns="{_RELATIONS}">{targets}{texts}</Relationships>'
        )
        for number, xml in enumerate(sheets.values(), 1):
            packed.writestr(f"xl/worksheets/{number}.xml", xml)
        if shared:
            with packed.open("xl/sharedStrings.xml", "w", force_zip64=True) as out:
                for piece in shared:
                    out.write(piece)
        for name, content in (extra or {}).items():
            packed.writestr(name, content)
    file.seek(0)
    return file


def corner_cells() -> io.BytesIO:
    """A1 and XFD1048576: 5 KB that make a reader allot 17 billion cells."""
    rows = '<row r="1"><c r="A1" t="n"><v>1</v></c></row><row r="1048576"><c r="XFD1048576" t="n"><v>1</v></c></row>'
    return archive(households=sheet_xml(rows))


def declared_corner() -> io.BytesIO:
    return archive(households=sheet_xml(text_row(1, HOUSEHOLD_HEADERS), dimension="A1:XFD1048576"))


def shared_text_bomb(megabytes: int = 400) -> io.BytesIO:
    """Under a megabyte that grows to `megabytes` of shared texts."""
    block = b"<si><t>" + b"A" * 30_000 + b"</t></si>"

    def pieces() -> Iterable[bytes]:
        yield f'<sst xmlns="{NAMESPACE}">'.encode()
        for _count in range(megabytes * 34):
            yield block
        yield b"</sst>"

    return archive(shared=pieces())


def long_text() -> io.BytesIO:
    return archive(members=sheet_xml(text_row(1, ["长" * 40_000])))


def entities() -> io.BytesIO:
    lol = '<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    return archive(
        households=f'<?xml version="1.0"?>{lol}<worksheet xmlns="{NAMESPACE}"><sheetData>&b;</sheetData></worksheet>'
    )


def workbook(
    households: list[list[Any]], members: list[list[Any]], names: tuple[str, str] = ("户信息", "人信息")
) -> io.BytesIO:
    """An honest workbook of the given rows."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in zip(names, (households, members), strict=True):
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    file = io.BytesIO()
    book.save(file)
    file.seek(0)
    return file
