"""Between the cards in Postgres and the columns of the domain: features out by COPY, results in by COPY."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from changde.bulk.copy import column_text, copy_out, copy_out_bytes, sql_text
from changde.bulk.loading import copy_lines
from households.domain.features import FEATURES
from households.domain.index import assess
from households.domain.index_rules import has_doubt
from households.domain.index_system import IndexSystem
from households.models import IndexVersion, Result

FEATURES_SQL = Path(__file__).parent / "sql/household_features.sql"
SHOWN_SQL = Path(__file__).parent / "sql/shown_results.sql"
_KEYS = ("household_id", "village_id", "card_version", "village_card_version", "members_missing")
_COMPUTED = ("transfer_income", "net_income")
# What figures count by besides what an index says (domain.figures.count), under the names a frame of cards has for it.
COUNTED_BY = {"card_persons": "persons", "card_status": "status", "main_cause": "main_cause"}


def _dtypes() -> dict[str, Any]:
    types: dict[str, Any] = {**dict.fromkeys(_KEYS, "int64"), "card_persons": "int64", "card_status": "object"}
    for name, feature in FEATURES.items():
        if name not in _COMPUTED:
            types[name] = "Int64" if feature.is_number else "boolean" if feature.kind == "truth" else "object"
        if feature.kind == "count":
            types[name] = "int64"
        if has_doubt(feature):
            types[f"{name}_unknown"] = "int64"
    return types


DTYPES = _dtypes()


def features_of(
    *,
    year: int,
    first: int,
    last: int,
    households: Sequence[int] | None = None,
    system: IndexSystem | None = None,
    counted: bool = False,
) -> pd.DataFrame:
    """One row per open household with a sheet of the year in the code range, by township and id.

    Columns: household_id, village_id, card_version, village_card_version, members_missing and every feature of the
    vocabulary, or only those `system` reads, with those of COUNTED_BY where they are to be `counted`.
    """
    text = features_bytes(year=year, first=first, last=last, households=households, system=system, counted=counted)
    return pd.read_csv(text, dtype=DTYPES, true_values=["t"], false_values=["f"])


def features_bytes(
    *,
    year: int,
    first: int,
    last: int,
    households: Sequence[int] | None = None,
    system: IndexSystem | None = None,
    counted: bool = False,
) -> BytesIO:
    """What `features_of` reads, as COPY writes it (CSV with names)."""
    columns = DTYPES if system is None else dict.fromkeys((*_KEYS, *system.columns, *(COUNTED_BY if counted else ())))
    names = ", ".join(columns)
    sql = f"SELECT {names} FROM ({sql_text(FEATURES_SQL)}) features ORDER BY village_id / 1000, household_id"  # noqa: S608 - our own names
    parameters = {"year": year, "first": first, "last": last, "households": households and list(households)}
    return copy_out_bytes(sql, parameters)


_SHOWN_DTYPES = {
    **dict.fromkeys(("village_id", "version_id", "run_id", "deprived", "persons"), "int64"),
    **dict.fromkeys(("members", "net_income"), "Int64"),
    **dict.fromkeys(("outcome", "status", "main_cause"), "object"),
    **dict.fromkeys(("below_line", "below_monitoring_line", "reaches_cutoff", "guarantee_gap", "excluded"), "bool"),
    "score": "float64",
}


def shown_results(*, township: int, year: int, villages: Sequence[int] | None = None) -> pd.DataFrame:
    """One row per open household with a result that readers see; columns: households.domain.figures.count, run_id."""
    parameters = {"township": township, "year": year, "villages": None if villages is None else list(villages)}
    return copy_out(sql_text(SHOWN_SQL), parameters, dtype=_SHOWN_DTYPES)


def values_text(frame: pd.DataFrame, columns: Sequence[str]) -> list[str]:
    """The values read, one compact JSON list per row in the order of `columns`; unknown is null."""
    cells = []
    for name in columns:
        kind = FEATURES[name].kind if name in FEATURES else "count"
        if kind == "truth":
            texts = ["true" if value is True else "false" for value in frame[name].tolist()]
        elif kind == "choice":
            texts = [f'"{value}"' for value in frame[name].tolist()]
        else:
            texts = list(map(str, frame[name].tolist()))
        for position in frame[name].isna().to_numpy().nonzero()[0]:
            texts[position] = "null"
        cells.append(texts)
    return [f"[{','.join(row)}]" for row in zip(*cells, strict=True)]


@dataclass(frozen=True)
class Written:
    """What went into the table, a row for each card of the frame: the verdicts, and their canonical lines."""

    verdicts: pd.DataFrame
    lines: list[str]


@dataclass(frozen=True)
class Said:
    """What results say in a township: how many households, how many per outcome, SHA-256 of the canonical lines."""

    households: int
    outcomes: dict[str, int]
    digest: str


def write_results(
    cards: pd.DataFrame, *, year: int, runs: pd.Series | int, version: IndexVersion, system: IndexSystem
) -> Written:
    """Identify the households of a frame and write their results by COPY, in the transaction that is open.

    `runs` is the id of the run they go into, or that of each card. A canonical line holds everything a result says,
    without run ids, versions of cards and times.
    """
    verdicts = assess(system, cards)
    said = {
        "household_id": column_text(cards["household_id"]),
        "village_id": column_text(cards["village_id"]),
        "values": values_text(cards, version.columns),
        **{
            name: column_text(verdicts[name])
            for name in ("net_income", "members", "deprived", "unknown", "missing", "excluded_by", "score", "outcome")
        },
        **{
            name: column_text(verdicts[name])
            for name in ("below_line", "below_monitoring_line", "reaches_cutoff", "guarantee_gap", "excluded")
        },
        "open_fields": column_text(verdicts["open_fields"]),
    }
    lines = list(map("\t".join, zip(*said.values(), strict=True)))
    told = zip(
        [str(runs)] * len(cards) if isinstance(runs, int) else column_text(runs),
        column_text(cards["card_version"]),
        column_text(cards["village_card_version"]),
        strict=True,
    )
    same = f"{version.pk}\t{year}\tf"
    rows = (f"{line}\t{run}\t{card}\t{village}\t{same}" for line, (run, card, village) in zip(lines, told, strict=True))
    columns = (*said, "run_id", "card_version", "village_card_version", "version_id", "year", "stale")
    copy_lines(Result, columns, "\n".join(rows).encode())
    return Written(verdicts, lines)


def said_by_township(
    cards: pd.DataFrame, written: Written, *, townships: Iterable[int], year: int, version: IndexVersion
) -> dict[int, Said]:
    """What was said in each township, of a frame that holds one township's cards after the other's.

    The lines go into the digest in the order of the frame; `features_of` reads a township's in that of the household
    ids: the same cards and the same index version give the same digest.
    """
    of_cards = cards["village_id"].to_numpy() // 1000 * 1000
    outcomes = written.verdicts["outcome"]
    found = {}
    for township in townships:
        rows = slice(*np.searchsorted(of_cards, [township, township + 1]).tolist())
        digest = hashlib.sha256(f"{year}\t{version.digest}\n".encode())
        digest.update("\n".join(written.lines[rows]).encode())
        counts = outcomes.iloc[rows].value_counts()
        found[township] = Said(
            len(written.lines[rows]), {str(name): int(count) for name, count in counts.items()}, digest.hexdigest()
        )
    return found


def counted(cards: pd.DataFrame, verdicts: pd.DataFrame, *, version: int) -> pd.DataFrame:
    """What `shown_results` reads after a run has written it, from the frames that are at hand (without run_id)."""
    beside = {name: cards[column] for column, name in COUNTED_BY.items()}
    whole = verdicts.assign(village_id=cards["village_id"], version_id=version, **beside)
    return whole.sort_values("village_id", kind="stable")
