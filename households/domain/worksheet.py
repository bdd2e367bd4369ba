"""The income worksheet: the lines a part of a sheet's income is made of, in integer fen.

A line says what was earned or spent (kind and item, how many mu, head or months), how it is known, and the amount of
the whole year. A part that has lines is their sum; a part without lines is what was typed. The worked example is in
docs/worksheet.md.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from types import MappingProxyType

from households.domain.income import EXPENSES, PARTS

PAPER, REGISTER, ESTIMATE = "paper", "register", "estimate"
KNOWN = (PAPER, REGISTER, ESTIMATE)
WAGE, CROP, ANIMAL = "wage", "crop", "animal"
MOST_LINES = 60

# kind of a line -> the part of the sheet it belongs to
PART_OF = MappingProxyType(
    {
        WAGE: "wage_income",
        CROP: "business_income",
        ANIMAL: "business_income",
        "business": "business_income",
        "land_rent": "property_income",
        "dividend": "property_income",
        "other_property": "property_income",
        "family_planning": "family_planning",
        "dibao": "dibao",
        "wubao": "wubao",
        "pension": "pension",
        "ecological_compensation": "ecological_compensation",
        "subsidy": "other_transfer",
        "support": "other_transfer",
        "other_transfer": "other_transfer",
        "seed": EXPENSES,
        "fertiliser": EXPENSES,
        "feed": EXPENSES,
        "young_animals": EXPENSES,
        "machine": EXPENSES,
        "hired_labour": EXPENSES,
        "rent_paid": EXPENSES,
        "other_expense": EXPENSES,
    }
)


@dataclass(frozen=True, slots=True)
class IncomeLine:
    """One line. `fen` is the amount of the accounting year, never negative; expenses stand positive too.

    `quantity` counts mu for crops and rent, head for animals. `member` is the index of the member on the card who
    earned a wage (None: nobody in particular, or somebody who is not on the card any more), `months` how many months;
    with `monthly_fen`, the wage of a month, the amount is months x monthly_fen.
    """

    kind: str
    fen: int
    known: str
    item: str | None = None
    quantity: Decimal | None = None
    member: int | None = None
    months: int | None = None
    monthly_fen: int | None = None

    def __post_init__(self) -> None:
        if self.kind not in PART_OF or self.known not in KNOWN:
            raise ValueError(f"no line of kind {self.kind!r} known by {self.known!r}")
        if self.fen < 0 or (self.quantity is not None and self.quantity <= 0):
            raise ValueError("a line has no negative amount and no empty quantity")
        if self.monthly_fen is not None and (self.months is None or self.months * self.monthly_fen != self.fen):
            raise ValueError("the amount is months x the wage of a month")

    @property
    def part(self) -> str:
        """The field of the sheet this line is a piece of."""
        return PART_OF[self.kind]


def by_part(lines: Iterable[IncomeLine]) -> dict[str, tuple[IncomeLine, ...]]:
    """The lines of each part that has some, the parts in the order of the form."""
    lines = tuple(lines)
    found = {part: tuple(line for line in lines if line.part == part) for part in PARTS}
    return {part: of_part for part, of_part in found.items() if of_part}


def sums(lines: Iterable[IncomeLine]) -> dict[str, int]:
    """Fen of each part that has lines: their sum, whatever their order."""
    return {part: sum(line.fen for line in of_part) for part, of_part in by_part(lines).items()}


def moved(lines: Iterable[IncomeLine], places: Mapping[int, int]) -> tuple[IncomeLine, ...]:
    """The lines on a card whose members stand elsewhere: `places` maps an old index to the new one.

    The wage of somebody who is not on that card stays in the household's income and names nobody.
    """
    return tuple(line if line.member is None else replace(line, member=places.get(line.member)) for line in lines)


def carried(
    lines: Iterable[IncomeLine], before: Sequence[int | None], after: Sequence[int | None]
) -> tuple[IncomeLine, ...]:
    """The lines of a card with the persons `before` on a card with the persons `after`."""
    now = {person: index for index, person in enumerate(after) if person is not None}
    return moved(lines, {index: now[person] for index, person in enumerate(before) if person in now})  # type: ignore[index]
