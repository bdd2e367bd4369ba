"""What happens to households and their members: which changes an event makes, and when it is not possible.

A world is small: the cards an event touches with who lives on each, and how the others went. A rule answers with
changes; `apply` makes the world after them; `inverse` takes them back. Three things hold after every event: a person
lives on one card at most, an open card has members and exactly one head, and nobody is lost (who lives nowhere has
the reason written down).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from typing import Any

HEAD, SPOUSE = "户主", "配偶"
# How a membership ends (Membership.end_reason).
SPLIT, MERGED, CLOSED, DIED, MARRIED_OUT, DUPLICATE = "split", "merged", "closed", "died", "married_out", "duplicate"
UNDONE = "undone"


class NotPossible(Exception):
    """The event does not fit the world. `code` says why (households.messages has the words), `person` whom."""

    def __init__(self, code: str, person: int | None = None):
        super().__init__(code)
        self.code, self.person = code, person


@dataclass(frozen=True, slots=True)
class Lives:
    """An open membership."""

    person: int
    relation: str
    since: date | None = None


@dataclass(frozen=True, slots=True)
class Home:
    """A card: its village and who lives on it; a closed one has nobody."""

    household: int
    village: int
    members: tuple[Lives, ...] = ()
    is_open: bool = True

    def of(self, person: int) -> Lives:
        for each in self.members:
            if each.person == person:
                return each
        raise NotPossible("not_a_member", person)


@dataclass(frozen=True, slots=True)
class World:
    """`gone`: how each person who lives nowhere went; "" for one who has never lived on a card."""

    homes: Mapping[int, Home]
    gone: Mapping[int, str] = field(default_factory=dict)

    def home(self, household: int) -> Home:
        return self.homes[household]

    def home_of(self, person: int) -> Home | None:
        return next((home for home in self.homes.values() if any(m.person == person for m in home.members)), None)


# -- changes ------------------------------


@dataclass(frozen=True, slots=True)
class Leaves:
    """A membership ends."""

    household: int
    person: int
    relation: str
    since: date | None
    reason: str

    @property
    def inverse(self) -> "Resumes":
        return Resumes(self.household, self.person, self.relation, self.since, self.reason)


@dataclass(frozen=True, slots=True)
class Resumes:
    """A membership that had ended goes on as if it had not."""

    household: int
    person: int
    relation: str
    since: date | None
    reason: str

    @property
    def inverse(self) -> Leaves:
        return Leaves(self.household, self.person, self.relation, self.since, self.reason)


@dataclass(frozen=True, slots=True)
class Joins:
    """A membership begins; `was` says how the person had gone before ("" for a new one, or who comes straight)."""

    household: int
    person: int
    relation: str
    since: date
    was: str = ""

    @property
    def inverse(self) -> "Withdraws":
        return Withdraws(self.household, self.person, self.relation, self.since, self.was)


@dataclass(frozen=True, slots=True)
class Withdraws:
    """A membership that should not have begun ends on the day it began."""

    household: int
    person: int
    relation: str
    since: date
    was: str

    @property
    def inverse(self) -> Joins:
        return Joins(self.household, self.person, self.relation, self.since, self.was)


@dataclass(frozen=True, slots=True)
class Relates:
    """A member's relation to the head changes."""

    household: int
    person: int
    before: str
    after: str

    @property
    def inverse(self) -> "Relates":
        return Relates(self.household, self.person, self.after, self.before)


@dataclass(frozen=True, slots=True)
class Opens:
    """A new card, split from another."""

    household: int
    village: int
    split_from: int

    @property
    def inverse(self) -> "Shuts":
        return Shuts(self.household, UNDONE)


@dataclass(frozen=True, slots=True)
class Shuts:
    """A card is closed, for a reason, or merged into another."""

    household: int
    reason: str
    into: int | None = None

    @property
    def inverse(self) -> "Reopens":
        return Reopens(self.household, self.reason, self.into)


@dataclass(frozen=True, slots=True)
class Reopens:
    """A closed card lives again; reason and `into` are those of its closing."""

    household: int
    reason: str = ""
    into: int | None = None

    @property
    def inverse(self) -> Shuts:
        return Shuts(self.household, self.reason or CLOSED, self.into)


@dataclass(frozen=True, slots=True)
class Moves:
    """A card goes to another village."""

    household: int
    before: int
    after: int

    @property
    def inverse(self) -> "Moves":
        return Moves(self.household, self.after, self.before)


Change = Leaves | Resumes | Joins | Withdraws | Relates | Opens | Shuts | Reopens | Moves
_BY_NAME: dict[str, type] = {
    kind.__name__: kind for kind in (Leaves, Resumes, Joins, Withdraws, Relates, Opens, Shuts, Reopens, Moves)
}


def _order(change: Change) -> int:
    """Cards open before people come, people leave before they arrive, a head steps down before the next steps up."""
    match change:
        case Opens() | Reopens():
            return 0
        case Leaves() | Withdraws():
            return 1
        case Relates(after=after):
            return 3 if after == HEAD else 2
        case Joins() | Resumes():
            return 4
        case Moves():
            return 5
        case _:
            return 6


def ordered(changes: Iterable[Change]) -> tuple[Change, ...]:
    """The order in which the changes can be written one by one."""
    return tuple(sorted(changes, key=_order))


def inverse(changes: Sequence[Change]) -> tuple[Change, ...]:
    return ordered(change.inverse for change in changes)


def as_facts(changes: Sequence[Change]) -> list[dict[str, Any]]:
    """The changes as an event keeps them: ids, relations, days; no name and no number."""
    return [
        {"do": type(change).__name__}
        | {name: value.isoformat() if isinstance(value, date) else value for name, value in asdict(change).items()}
        for change in changes
    ]


def from_facts(facts: Iterable[Mapping[str, Any]]) -> tuple[Change, ...]:
    made = []
    for each in facts:
        values = dict(each)
        kind = _BY_NAME[values.pop("do")]
        if values.get("since"):
            values["since"] = date.fromisoformat(values["since"])
        made.append(kind(**values))
    return tuple(made)


def apply(world: World, changes: Iterable[Change]) -> World:
    """The world after the changes. Raises NotPossible when one of them does not fit."""
    homes, gone = dict(world.homes), dict(world.gone)
    for change in changes:
        match change:
            case Opens(household, village, _):
                if household in homes:
                    raise NotPossible("card_exists")
                homes[household] = Home(household, village)
            case Leaves(household, person, relation, _, reason):
                homes[household] = _without(homes[household], person, relation)
                gone[person] = reason
            case Withdraws(household, person, relation, _, was):
                homes[household] = _without(homes[household], person, relation)
                gone.pop(person, None)
                gone |= {person: was} if was else {}
            case Joins(household, person, relation, since, _) | Resumes(household, person, relation, since, _):
                if any(m.person == person for home in homes.values() for m in home.members):
                    raise NotPossible("lives_elsewhere", person)
                home = homes[household]
                if not home.is_open:
                    raise NotPossible("card_closed")
                homes[household] = replace(home, members=(*home.members, Lives(person, relation, since)))
                gone.pop(person, None)
            case Relates(household, person, before, after):
                home = homes[household]
                if home.of(person).relation != before:
                    raise NotPossible("changed_since", person)
                members = tuple(replace(m, relation=after) if m.person == person else m for m in home.members)
                homes[household] = replace(home, members=members)
            case Shuts(household, _, _):
                if not homes[household].is_open:
                    raise NotPossible("card_closed")
                homes[household] = replace(homes[household], is_open=False)
            case Reopens(household, _, _):
                if homes[household].is_open:
                    raise NotPossible("card_open")
                homes[household] = replace(homes[household], is_open=True)
            case Moves(household, before, after):
                if homes[household].village != before:
                    raise NotPossible("changed_since")
                homes[household] = replace(homes[household], village=after)
    return World(homes, gone)


def _without(home: Home, person: int, relation: str) -> Home:
    if home.of(person).relation != relation:
        raise NotPossible("changed_since", person)
    return replace(home, members=tuple(m for m in home.members if m.person != person))


def check(world: World) -> None:
    """What must hold of every world; raises NotPossible."""
    seen: set[int] = set()
    for home in world.homes.values():
        people = [m.person for m in home.members]
        if seen & set(people) or len(people) != len(set(people)):
            raise NotPossible("lives_elsewhere")
        seen |= set(people)
        heads = sum(m.relation == HEAD for m in home.members)
        if home.is_open and not people:
            raise NotPossible("card_empty")
        if home.is_open and heads != 1:
            raise NotPossible("head_missing" if heads == 0 else "two_heads")
        if not home.is_open and people:
            raise NotPossible("card_closed")


# -- events ------------------------------
# `relations`: what each remaining person is to the head after the event; who is not named keeps the relation.

Relations = Mapping[int, str]


def split(
    world: World, household: int, *, going: Relations, staying: Relations, new: int, on: date
) -> tuple[Change, ...]:
    """Some members found a card of their own; each side has members and one head."""
    home = _open(world, household)
    if not going:
        raise NotPossible("nobody_chosen")
    if len(going) == len(home.members):
        raise NotPossible("everybody_chosen")
    changes: list[Change] = [Opens(new, home.village, household)]
    for person, relation in going.items():
        changes += [_leaves(home, person, SPLIT), Joins(new, person, _named(relation, person), on)]
    return _settled(world, [*changes, *_relates(home, staying, leaving=going)])


def merge(
    world: World, household: int, *, into: int, relations: Relations, doubles: Mapping[int, int] | None = None, on: date
) -> tuple[Change, ...]:
    """A card goes into another and is closed. `doubles` are the same people as one of the other card: they end here."""
    if household == into:
        raise NotPossible("same_card")
    home, target = _open(world, household), _open(world, into)
    doubles = doubles or {}
    for kept in doubles.values():
        target.of(kept)
    changes: list[Change] = []
    for member in home.members:
        if member.person in doubles:
            changes.append(_leaves(home, member.person, DUPLICATE))
        else:
            relation = _named(relations.get(member.person, member.relation), member.person)
            changes += [_leaves(home, member.person, MERGED), Joins(into, member.person, relation, on)]
    return _settled(world, [*changes, Shuts(household, MERGED, into)])


def move(world: World, household: int, *, village: int) -> tuple[Change, ...]:
    home = _open(world, household)
    if home.village == village:
        raise NotPossible("same_village")
    return _settled(world, [Moves(household, home.village, village)])


def close(world: World, household: int, *, reason: str) -> tuple[Change, ...]:
    """The card is closed; every membership ends with it."""
    home = _open(world, household)
    return _settled(world, [*(_leaves(home, m.person, CLOSED) for m in home.members), Shuts(household, reason)])


def reopen(world: World, household: int, *, relations: Relations, reason: str, on: date) -> tuple[Change, ...]:
    """A closed card lives again with some of those who lived on it, and who now live nowhere."""
    if world.home(household).is_open:
        raise NotPossible("card_open")
    if not relations:
        raise NotPossible("nobody_chosen")
    joins = [_joins(world, household, person, relation, on) for person, relation in relations.items()]
    return _settled(world, [Reopens(household, reason), *joins])


def born(world: World, household: int, *, person: int, relation: str, on: date) -> tuple[Change, ...]:
    _open(world, household)
    if relation == HEAD:
        raise NotPossible("head_newborn")
    return _settled(world, [_joins(world, household, person, relation, on)])


def died(world: World, household: int, *, person: int, relations: Relations) -> tuple[Change, ...]:
    """A member dies; the card of the last one is closed with the death."""
    return _departure(world, household, person, DIED, relations)


def married_out(
    world: World,
    household: int,
    *,
    person: int,
    relations: Relations,
    into: int | None = None,
    relation: str = "",
    on: date,
) -> tuple[Change, ...]:
    """A member marries out of the card: to another one, or to where no card is kept (`into` None)."""
    arrival: list[Change] = []
    if into is not None:
        if into == household:
            raise NotPossible("same_card")
        _open(world, into)
        arrival = [Joins(into, person, _named(relation, person), on)]
    return _departure(world, household, person, MARRIED_OUT, relations, arrival)


def married_in(world: World, household: int, *, person: int, relation: str, on: date) -> tuple[Change, ...]:
    """Somebody from outside comes by marriage: a new person, or one who lives on no card (a card: married_out)."""
    _open(world, household)
    return _settled(world, [_joins(world, household, person, relation, on)])


def returned(world: World, household: int, *, person: int, relation: str, on: date) -> tuple[Change, ...]:
    """Somebody who lived on a card and left comes (back) to this one; the dead do not."""
    _open(world, household)
    if world.gone.get(person) in (None, ""):
        raise NotPossible("lives_elsewhere" if world.home_of(person) else "never_left", person)
    return _settled(world, [_joins(world, household, person, relation, on)])


def duplicate(world: World, household: int, *, person: int, relations: Relations) -> tuple[Change, ...]:
    """The membership of somebody who is the same as a person of another card ends."""
    return _departure(world, household, person, DUPLICATE, relations)


def undo(world: World, changes: Sequence[Change]) -> tuple[Change, ...]:
    """Take an event back. Raises NotPossible("changed_since") where the world is no longer as the event left it."""
    back = inverse(changes)
    try:
        return _settled(world, back)
    except NotPossible as refused:
        raise NotPossible("changed_since", refused.person) from refused


def check_day(changes: Iterable[Change], *, on: date, today: date) -> None:
    """An event is not in the future, and nobody leaves before having come."""
    if on > today:
        raise NotPossible("day_ahead")
    for change in changes:
        if isinstance(change, Leaves) and change.since and on < change.since:
            raise NotPossible("day_before_joining", change.person)


# -- pieces ------------------------------


def _open(world: World, household: int) -> Home:
    home = world.home(household)
    if not home.is_open:
        raise NotPossible("card_closed")
    return home


def _leaves(home: Home, person: int, reason: str) -> Leaves:
    lives = home.of(person)
    return Leaves(home.household, person, lives.relation, lives.since, reason)


def _joins(world: World, household: int, person: int, relation: str, on: date) -> Joins:
    if world.home_of(person):
        raise NotPossible("lives_elsewhere", person)
    if world.gone.get(person) == DIED:
        raise NotPossible("is_dead", person)
    if world.gone.get(person) == DUPLICATE:
        raise NotPossible("is_double", person)
    return Joins(household, person, _named(relation, person), on, world.gone.get(person, ""))


def _named(relation: str, person: int) -> str:
    if not relation:
        raise NotPossible("relation_missing", person)
    return relation


def _relates(home: Home, relations: Relations, *, leaving: Iterable[int]) -> list[Change]:
    """The changed relations of those who stay; a new head needs everybody's relation said anew."""
    leaving = set(leaving)
    stay = [m for m in home.members if m.person not in leaving]
    if stay and all(m.relation != HEAD for m in stay):
        for member in stay:
            if not relations.get(member.person):
                raise NotPossible("relation_missing", member.person)
    return [
        Relates(home.household, m.person, m.relation, relations[m.person])
        for m in stay
        if relations.get(m.person) and relations[m.person] != m.relation
    ]


def _departure(
    world: World, household: int, person: int, reason: str, relations: Relations, arrival: Sequence[Change] = ()
) -> tuple[Change, ...]:
    home = _open(world, household)
    changes: list[Change] = [_leaves(home, person, reason), *arrival]
    if len(home.members) == 1:
        changes.append(Shuts(household, reason))
    else:
        changes += _relates(home, relations, leaving=[person])
    return _settled(world, changes)


def _settled(world: World, changes: Iterable[Change]) -> tuple[Change, ...]:
    """The changes in the order of writing, once the world after them is a right one."""
    made = ordered(changes)
    check(apply(world, made))
    return made


# -- a new head ------------------------------

_MAN, _WOMAN = "男", "女"


def relation_to(new_head: str, new_head_sex: str, relation: str, sex: str) -> str:
    """What a member is to a new head, from what both were to the old one; "" where that does not say it.

    GB/T 4761 as the card uses it. A proposal for the form: a person decides.
    """
    if new_head == HEAD:
        return relation
    seen = {SPOUSE: _of_spouse, "之子": _of_child, "之女": _of_child}.get(new_head)
    if relation == HEAD:
        return _old_head(new_head, sex)
    return seen(new_head_sex, relation, sex) if seen else ""


def _old_head(new_head: str, sex: str) -> str:
    pairs = {
        SPOUSE: (SPOUSE, SPOUSE),
        "之子": ("之父", "之母"),
        "之女": ("之父", "之母"),
        "之儿媳": ("之公公", "之婆婆"),
        "之女婿": ("之岳父", "之岳母"),
        "之孙子": ("之祖父", "之祖母"),
        "之孙女": ("之祖父", "之祖母"),
        "之父": ("之子", "之女"),
        "之母": ("之子", "之女"),
        "之兄弟姐妹": ("之兄弟姐妹", "之兄弟姐妹"),
    }
    man, woman = pairs.get(new_head, ("", ""))
    return man if sex == _MAN else woman if sex == _WOMAN else ""


def _of_spouse(new_head_sex: str, relation: str, sex: str) -> str:
    """Seen by the old head's spouse: the children are theirs, the old head's parents are in-laws."""
    if relation in ("之父", "之母"):
        wife = new_head_sex == _WOMAN
        return {"之父": "之公公" if wife else "之岳父", "之母": "之婆婆" if wife else "之岳母"}[relation]
    if relation in ("之岳父", "之公公"):
        return "之父"
    if relation in ("之岳母", "之婆婆"):
        return "之母"
    return relation if relation.startswith(("之子", "之女", "之儿媳", "之孙", "之外孙")) else ""


def _of_child(new_head_sex: str, relation: str, sex: str) -> str:
    """Seen by a child of the old head."""
    if relation == SPOUSE:
        return {_MAN: "之父", _WOMAN: "之母"}.get(sex, "")
    if (new_head_sex, relation) in ((_MAN, "之儿媳"), (_WOMAN, "之女婿")):
        return SPOUSE
    known = {"之子": "之兄弟姐妹", "之女": "之兄弟姐妹", "之父": "之祖父", "之母": "之祖母"}
    own = {"之孙子": "之子", "之孙女": "之女"} if new_head_sex == _MAN else {"之外孙子": "之子", "之外孙女": "之女"}
    return (known | own).get(relation, "")
