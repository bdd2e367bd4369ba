"""Sort key and search initials of a Chinese name."""

import re
from functools import lru_cache

from pypinyin import Style, lazy_pinyin
from pypinyin.constants import PHRASES_DICT

_HAN = re.compile(r"[\u4e00-\u9fff]*")


@lru_cache(maxsize=20_000)
def name_keys(name: str) -> tuple[str, str]:
    """张建华 -> ("zhang jian hua", "zjh")."""
    if not _HAN.fullmatch(name):
        syllables, initials = lazy_pinyin(name), lazy_pinyin(name, style=Style.FIRST_LETTER)
    elif _has_phrase(name):
        syllables = lazy_pinyin(name)
        initials = [syllable[0] for syllable in syllables]
    else:
        syllables = list(map(_syllable, name))
        initials = [syllable[0] for syllable in syllables]
    return " ".join(syllables).lower()[:200], "".join(initials).lower()[:60]


def _has_phrase(name: str) -> bool:
    """Some characters stand together in the dictionary of phrases, which may give them another reading."""
    ends = range(2, len(name) + 1)
    return any(name[begin:end] in PHRASES_DICT for end in ends for begin in range(end - 1))


@lru_cache(maxsize=20_000)
def _syllable(character: str) -> str:
    return str(lazy_pinyin(character)[0])
