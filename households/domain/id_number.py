"""Citizens' ID numbers (GB 11643) and disability certificates.

18 characters: area (6 digits), birth date (8), sequence (3, odd for men), check character by MOD 11-2 (ISO 7064).
15 characters (before 1999): area (6), birth date without century (6), sequence (3). The area code is never a reason
to refuse: people keep the code of the county they were born in, and counties are renamed and merged.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache
from operator import mul

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_CHARACTERS = "10X98765432"
_EARLIEST_BIRTH = 1850
_LONG_RUN = re.compile(r"\d{11}")
# Old sequence codes kept for people born before 1900.
_CENTENARIAN_SEQUENCES = {"996", "997", "998", "999"}

MALE, FEMALE = "男", "女"


def normalise(text: str) -> str:
    """Full width to half width, no blanks of any kind, x as X."""
    if text.isascii() and text.isalnum():
        return text.upper()
    plain = unicodedata.normalize("NFKC", text).upper()
    return "".join(character for character in plain if not character.isspace() and character != "\u200b")


def check_character(first_17: str) -> str:
    """MOD 11-2 over the first 17 digits: the weighted sum modulo 11 picks the character."""
    return _CHECK_CHARACTERS[sum(map(mul, _WEIGHTS, map(int, first_17))) % 11]


def _is_digits(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _date(text: str) -> date | None:
    """YYYYMMDD as a real date since 1850, else None."""
    try:
        day = date(int(text[:4]), int(text[4:6]), int(text[6:8]))
    except ValueError:
        return None
    return day if day.year >= _EARLIEST_BIRTH else None


@lru_cache(maxsize=4096)  # a card's numbers are looked at by many checks
def check(number: str) -> str | None:
    """What is wrong with a normalised number: "id-length", "id-check-digit", or None when it holds.

    "id-check-digit" covers a wrong check character, characters that are no digits, and a date that never was.
    """
    if len(number) == 15:
        return None if _is_digits(number) and _date(_century(number) + number[6:12]) else "id-check-digit"
    if len(number) != 18:
        return "id-length"
    if not _is_digits(number[:17]) or _date(number[6:14]) is None:
        return "id-check-digit"
    return None if check_character(number[:17]) == number[17] else "id-check-digit"


def _century(old: str) -> str:
    return "18" if old[12:15] in _CENTENARIAN_SEQUENCES else "19"


def to_18(old: str) -> str:
    """The 18-character form of a valid 15-digit number."""
    first_17 = old[:6] + _century(old) + old[6:]
    return first_17 + check_character(first_17)


@dataclass(frozen=True)
class IdNumber:
    """A valid number. `old` is the 15-digit number it was written as, kept beside the 18-character form."""

    number: str
    old: str | None

    @property
    def area(self) -> str:
        return self.number[:6]

    @cached_property
    def birth_date(self) -> date:
        return date(int(self.number[6:10]), int(self.number[10:12]), int(self.number[12:14]))

    @property
    def sex(self) -> str:
        return MALE if int(self.number[16]) % 2 else FEMALE


@lru_cache(maxsize=4096)
def parse(text: str) -> IdNumber | None:
    """The number when it is valid, else None; `check` names the reason."""
    number = normalise(text)
    if check(number) is not None:
        return None
    return IdNumber(to_18(number), number) if len(number) == 15 else IdNumber(number, None)


@dataclass(frozen=True, slots=True)
class DisabilityCertificate:
    """ID number, category (1 sight, 2 hearing, 3 speech, 4 limbs, 5 intellect, 6 mind, 7 several), grade 1 to 4.

    A replaced certificate ends in B and the count of replacements; that part is not kept apart.
    """

    text: str

    @property
    def id_number(self) -> str:
        return self.text[:18]

    @property
    def category(self) -> int:
        return int(self.text[18])

    @property
    def grade(self) -> int:
        return int(self.text[19])


def parse_certificate(text: str) -> DisabilityCertificate | None:
    """The certificate when its form holds: valid 18-character ID number, category 1-7, grade 1-4; else None."""
    number = normalise(text)
    body, suffix = number[:20], number[20:]
    replaced = suffix == "" or (suffix[0] == "B" and _is_digits(suffix[1:]))
    holds = len(body) == 20 and replaced and body[18] in "1234567" and body[19] in "1234"
    return DisabilityCertificate(number) if holds and check(body[:18]) is None else None


def long_number(text: str) -> bool:
    """Whether eleven figures or more follow one another (a phone, an account, an identity), blanks and dashes aside."""
    return bool(_LONG_RUN.search("".join(each for each in unicodedata.normalize("NFKC", text) if each not in " -\t\n")))
