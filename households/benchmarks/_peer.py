"""The peer of the import benchmark: the same workbook through django-import-export in its bulk mode.

Tables with the same columns, without checks, history, encryption and scopes: numbers of people stand there openly, in
a database that is thrown away. Everything that makes the library fast is on (bulk, no diffs, no instance loading, no
cleaning), keys are resolved from memory, and each sheet is read once. Runs in a process of its own:
`python -m households.benchmarks._peer FILE`.
"""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Any

import django

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "changde.settings")
    django.setup()

import openpyxl
import tablib
from django.db import connection, connections, models
from import_export import resources, widgets
from import_export.fields import Field as Column

from households.domain import fields
from households.domain.fields import HOUSEHOLD_SHEET, MEMBER_SHEET
from households.models import Household, MemberSheet, Membership, Person, Sheet

BATCH = 1000


def _peer(model: type[models.Model], **links: Any) -> Any:
    """A model with the same columns, links without constraints, and open text where we hold ciphertext."""
    columns: dict[str, Any] = {}
    for field in model._meta.concrete_fields:
        if field.name in links:
            columns[field.name] = models.ForeignKey(links[field.name], models.DO_NOTHING, db_constraint=False)
        elif isinstance(field, models.ForeignKey):
            columns[field.name] = models.BigIntegerField(null=True)
        elif field.name.endswith("_cipher"):
            columns[field.name.removesuffix("_cipher")] = models.CharField(max_length=60, blank=True, null=True)
        elif not field.name.endswith("_hash") and not field.primary_key:
            columns[field.name] = copied = field.clone()
            copied.null = copied.blank = True
    meta = type("Meta", (), {"app_label": "households", "managed": False, "db_table": f"peer_{model._meta.model_name}"})
    return type(f"Peer{model.__name__}", (models.Model,), {**columns, "Meta": meta, "__module__": __name__})


PeerHousehold = _peer(Household)
PeerPerson = _peer(Person)
PeerSheet = _peer(Sheet, household=PeerHousehold)
PeerMembership = _peer(Membership, household=PeerHousehold, person=PeerPerson)
PeerMemberSheet = _peer(MemberSheet, sheet=PeerSheet, person=PeerPerson)
PEERS = (PeerHousehold, PeerPerson, PeerSheet, PeerMembership, PeerMemberSheet)


class _YesNo(widgets.Widget):
    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> Any:
        return value == "是" if value else None


class _Words(widgets.Widget):
    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> Any:
        return value.split("、") if value else []


_WIDGETS: dict[str, Callable[[], widgets.Widget]] = {
    "money": widgets.DecimalWidget,
    "decimal": widgets.DecimalWidget,
    "integer": widgets.IntegerWidget,
    "year": widgets.IntegerWidget,
    "code12": widgets.IntegerWidget,
    "yes/no": _YesNo,
    "enum list": _Words,
    "date": lambda: widgets.DateWidget("%Y-%m-%d"),
    "datetime": lambda: widgets.DateTimeWidget("%Y-%m-%d %H:%M"),
}


def _resource(peer: Any, sheet: str, entities: tuple[str, ...], link: Callable[[Any, Any], None]) -> Any:
    """A resource of the sheet's columns that belong to the entities; `link` sets the keys of each instance."""
    columns = {
        of.attribute: Column(
            attribute="village" if of.attribute == "village_code" else of.attribute,
            column_name=of.header,
            widget=_WIDGETS.get(of.type, widgets.CharWidget)(),
        )
        for of in fields.of_sheet(sheet)
        if of.entity in entities
    }

    class Resource(resources.ModelResource):
        class Meta:
            model = peer
            fields = list(columns)
            import_id_fields: list[str] = []
            use_bulk = True
            batch_size = BATCH
            skip_diff = True
            force_init_instance = True
            use_transactions = True
            clean_model_instances = False

        def before_save_instance(self, instance: Any, row: Any, **kwargs: Any) -> None:
            link(instance, row)

    Resource.fields = columns
    return Resource()


def _dataset(content: Any, sheet: str) -> tablib.Dataset:
    """A sheet as the library's own XLSX format reads it (openpyxl, read-only)."""
    rows = openpyxl.load_workbook(content, read_only=True, data_only=True)[sheet].rows
    dataset = tablib.Dataset()
    dataset.headers = [cell.value for cell in next(rows)]
    for row in rows:
        dataset.append([cell.value for cell in row])
    return dataset


def make_tables() -> None:
    """Fresh peer tables, as their owner."""
    with connections["owner"].schema_editor() as editor:
        for peer in PEERS:
            editor.execute(f"DROP TABLE IF EXISTS {peer._meta.db_table} CASCADE")
            editor.create_model(peer)
            # The library sets the sequences itself after every import.
            application = connection.settings_dict["USER"]
            editor.execute(f'GRANT ALL ON SEQUENCE {peer._meta.db_table}_id_seq TO "{application}"')


def import_workbook(path: Path) -> int:
    """Read and write the whole workbook; returns the number of households."""
    households: dict[str, int] = {}
    sheets: dict[str, int] = {}
    persons: dict[str, int] = {}

    def bring(peer: Any, data: tablib.Dataset, sheet: str, entities: tuple[str, ...], link: Any) -> None:
        result = _resource(peer, sheet, entities, link).import_data(data, raise_errors=True)
        assert result.totals["new"] == len(data)

    def nothing(instance: Any, row: Any) -> None:
        pass

    def of_household(instance: Any, row: Any) -> None:
        instance.household_id = households[row["户编号"]]

    def of_person(instance: Any, row: Any) -> None:
        instance.household_id, instance.person_id = households[row["户编号"]], persons[row["人编号"]]

    def of_sheet(instance: Any, row: Any) -> None:
        instance.sheet_id, instance.person_id = sheets[row["户编号"]], persons[row["人编号"]]

    data = _dataset(path, HOUSEHOLD_SHEET)
    bring(PeerHousehold, data, HOUSEHOLD_SHEET, ("household",), nothing)
    households.update(PeerHousehold.objects.values_list("number", "pk"))
    bring(PeerSheet, data, HOUSEHOLD_SHEET, ("sheet",), of_household)
    sheets.update(PeerSheet.objects.values_list("household__number", "pk"))
    count = len(data)
    data = _dataset(path, MEMBER_SHEET)
    bring(PeerPerson, data, MEMBER_SHEET, ("person",), nothing)
    persons.update(PeerPerson.objects.values_list("number", "pk"))
    bring(PeerMembership, data, MEMBER_SHEET, ("membership",), of_person)
    bring(PeerMemberSheet, data, MEMBER_SHEET, ("member_sheet", "membership"), of_sheet)
    return count


if __name__ == "__main__":
    began = monotonic()
    counted = import_workbook(Path(sys.argv[1]))
    connection.close()
    sys.stdout.write(json.dumps({"households": counted, "seconds": monotonic() - began}) + "\n")
