"""A made-up city in the tables: everything a trial at full size needs, by COPY, in one transaction."""

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context

import django
from django.apps import apps
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from changde.accounts.refusal import Refusal
from changde.audit.services import record
from changde.bulk.copy import allocate_ids
from changde.bulk.loading import Bare, as_owner, copy_lines, lock_against_writers, reserve_ids, settle
from changde.crypto.cipher import blind_index, encrypt
from changde.divisions.codes import Level, ancestor
from changde.divisions.models import Division
from households.domain.city import YEARS, Place, Village, count_members, plan_villages
from households.models import CadreRelative, Household, Person, Sheet, VillageCadre, VillageCard
from households.services import figures
from households.services.city_rows import LOADED, CadreRow, Made, Order, PlantedRows, make_lines
from households.services.listed_cards import hold_lists, list_all

CITY = 430700000000
CHUNK = 4000  # households whose lines are in memory at once, for each process
PAYS_FROM = 20_000  # households from which indexes are made after the rows, and other processes help

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Seeded:
    """What was written; `rows` by table; `planted` where frauds and mistakes were planted."""

    households: int
    persons: int
    villages: int
    rows: dict[str, int]
    planted: PlantedRows = field(default_factory=PlantedRows)


def seed_city(
    *,
    households: int,
    seed: int,
    add: bool = False,
    planting: bool = False,
    progress: Progress = lambda what, done, total: None,
) -> Seeded:
    """Fill the tables with a made-up city. `progress(what, done, total)` is told as it goes.

    Connects as the owner of the tables. Refuses in production (`production`), without divisions (`no_divisions`), where
    there are cards already and `add` is not said (`cards_exist`), and where a number or ID number is already taken
    (`numbers_taken`): then nothing was written. Village cards are made only where none exist.
    """
    if settings.PRODUCTION:
        raise Refusal("production", _("正式系统不能填充模拟数据"))
    with as_owner():
        if not add and Household.objects.exists():
            raise Refusal("cards_exist", _("系统里已有户卡：请用空库，或加 --force-add 追加"))
        try:
            with transaction.atomic():
                seeded = _write(households, seed, add, planting, progress)
                record("households.seed_city", by=None, area=CITY, seed=seed, households=seeded.households)
        except IntegrityError as error:
            raise Refusal("numbers_taken", _("户编号或证件号码与已有户卡重复：请换一个 --seed")) from error
        figures.count_marked(area=CITY)
        settle(LOADED, lambda table: progress(_("统计信息 %(table)s") % {"table": table}, 0, 1))
    return seeded


def _write(households: int, seed: int, add: bool, planting: bool, progress: Progress) -> Seeded:
    villages = [village for village in plan_villages(real_villages(), households, seed) if village.households]
    lock_against_writers(LOADED)
    hold_lists()
    bare = Bare(LOADED) if households >= PAYS_FROM and not add else None
    if bare:
        bare.strip()
    orders = _orders(villages, seed, add)
    with_cards = not VillageCard.objects.exists()
    rows: dict[str, int] = {}
    done, planted = 0, PlantedRows()
    for made in _made(seed, orders, planting, parallel=households >= PAYS_FROM):
        for each in made.lines:
            if each.label != VillageCard._meta.label or with_cards:
                copy_lines(apps.get_model(each.label), each.columns, each.text)
                rows[each.label] = rows.get(each.label, 0) + each.rows
        done += made.households
        planted.add(made.planted)
        progress(_("写入户卡"), done, households)
    if bare:
        bare.complete(lambda step, steps, name: progress(_("建立索引 %(name)s") % {"name": name}, step, steps))
    list_all()
    _write_cadres(planted.cadres)
    return Seeded(done, rows.get(Person._meta.label, 0), len(villages), rows, planted)


def _write_cadres(rows: Sequence[CadreRow]) -> None:
    """The villages' own cadres and the relatives they declared."""
    relatives = [(position, *each) for position, row in enumerate(rows) for each in row.relatives if each[2]]
    cadre, relative = allocate_ids(VillageCadre, len(rows)), allocate_ids(CadreRelative, len(relatives))
    VillageCadre.objects.bulk_create(
        [
            VillageCadre(
                pk=pk,
                village_id=row.village,
                name=row.name,
                post=row.post,
                number_cipher=encrypt(row.id_number, field="village_cadre.number", owner=pk),
                number_hash=blind_index(row.id_number, kind="id"),
                phone_cipher=encrypt(row.phone, field="village_cadre.phone", owner=pk),
                phone_hash=blind_index(row.phone, kind="phone"),
                account_cipher=encrypt(row.account, field="village_cadre.account", owner=pk),
                account_hash=blind_index(row.account, kind="account"),
            )
            for pk, row in zip(cadre, rows, strict=True)
        ],
        batch_size=2000,
    )
    CadreRelative.objects.bulk_create(
        [
            CadreRelative(
                pk=pk,
                cadre_id=cadre[position],
                relation=relation,
                name=name,
                number_cipher=encrypt(number, field="cadre_relative.number", owner=pk),
                number_hash=blind_index(number, kind="id"),
            )
            for pk, (position, relation, name, number) in zip(relative, relatives, strict=True)
        ],
        batch_size=2000,
        ignore_conflicts=True,
    )


def real_villages() -> list[Place]:
    divisions = {row.code: row for row in Division.objects.current()}
    places = [
        Place(
            row.code,
            row.name,
            divisions[ancestor(row.code, Level.TOWNSHIP)].name,
            divisions[ancestor(row.code, Level.COUNTY)].name,
            not row.is_rural,
        )
        for row in divisions.values()
        if row.level == Level.VILLAGE
    ]
    if not places:
        raise Refusal("no_divisions", _("还没有行政区划：请先运行 load_divisions"))
    return places


def _orders(villages: Sequence[Village], seed: int, add: bool) -> list[Order]:
    """Ids for every row before any is made, so that ciphertexts can name them."""
    members = [count_members(village, seed)[0] for village in villages]
    homes = [village.households for village in villages]
    household, person = reserve_ids(Household, sum(homes)), reserve_ids(Person, sum(members))
    sheet = reserve_ids(Sheet, len(YEARS) * sum(homes))
    last = _last_numbers() if add else {}
    orders = []
    for village, persons in zip(villages, members, strict=True):
        orders.append(Order(village, last.get(village.place.code, 0) + 1, household, person, sheet))
        household += village.households
        person += persons
        sheet += len(YEARS) * village.households
    return orders


def _last_numbers() -> dict[int, int]:
    """The last serial number of each village among household numbers of our form."""
    found = Household.objects.filter(number__regex=r"^\d{17}$").values_list("village_id").annotate(Max("number"))
    return {village: int(number[12:]) for village, number in found.order_by() if number.startswith(str(village))}


def _made(seed: int, orders: Sequence[Order], planting: bool, parallel: bool) -> Iterator[Made]:
    """The lines of chunk after chunk, in order; other processes make the next ones meanwhile."""
    chunks = list(_chunks(orders))
    if not parallel:
        yield from (make_lines(seed, chunk, planting) for chunk in chunks)
        return
    workers = os.cpu_count() or 1
    with ProcessPoolExecutor(workers, get_context("spawn"), django.setup) as pool:
        waiting: deque[Future[Made]] = deque()
        for chunk in chunks:
            waiting.append(pool.submit(make_lines, seed, chunk, planting))
            if len(waiting) > workers + 1:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _chunks(orders: Sequence[Order]) -> Iterator[list[Order]]:
    chunk: list[Order] = []
    for order in orders:
        chunk.append(order)
        if sum(each.village.households for each in chunk) >= CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
