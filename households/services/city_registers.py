"""The registers of a planted city as the workbooks departments send."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from xlsxwriter import Workbook

# kind -> name of the file, headers
LAYOUTS = {
    "vehicle": ("车辆登记", ("证件号码", "车牌号", "车型", "登记日期", "购置价")),
    "real_estate": ("不动产登记", ("证件号码", "坐落", "用途", "面积", "登记日期")),
    "public_payroll": ("财政供养人员", ("证件号码", "单位", "职务")),
    "company": ("市场主体登记", ("证件号码", "名称", "类型", "注册资本", "状态")),
    "death": ("死亡人口", ("证件号码", "死亡日期")),
}


def write_registers(rows: Mapping[str, Sequence[tuple[Any, ...]]], folder: Path) -> list[Path]:
    """One workbook a kind into the folder, headers first; a kind without rows gets its headers alone."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for kind, (name, headers) in LAYOUTS.items():
        path = folder / f"{name}.xlsx"
        with Workbook(path, {"constant_memory": True, "strings_to_numbers": False}) as book:
            sheet = book.add_worksheet("Sheet")
            for number, row in enumerate([headers, *rows.get(kind, ())]):
                sheet.write_row(number, 0, row)
        written.append(path)
    return written
