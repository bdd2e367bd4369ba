"""Sort key and search initials of a Chinese name."""

import re
from functools import cache, lru_cache
from types import ModuleType

_HAN = re.compile(r"[\u4e00-\u9fff]*")


@cache
def _pinyin() -> ModuleType:
    """The dictionary takes a third of a second to load: only processes that meet a name pay for it."""
    import pypinyin

    return pypinyin


@lru_cache(maxsize=20_000)
def name_keys(name: str) -> tuple[str, str]:
    """张建华 -> ("zhang jian hua", "zjh")."""
    if not _HAN.fullmatch(name):
        pinyin = _pinyin()
        syllables, initials = pinyin.lazy_pinyin(name), pinyin.lazy_pinyin(name, style=pinyin.Style.FIRST_LETTER)
    elif _has_phrase(name):
        syllables = _pinyin().lazy_pinyin(name)
        initials = [syllable[0] for syllable in syllables]
    else:
        syllables = list(map(_syllable, name))
        initials = [syllable[0] for syllable in syllables]
    return " ".join(syllables).lower()[:200], "".join(initials).lower()[:60]


def _has_phrase(name: str) -> bool:
    """Some characters stand together in the dictionary of phrases, which may give them another reading."""
    phrases = _pinyin().constants.PHRASES_DICT
    ends = range(2, len(name) + 1)
    return any(name[begin:end] in phrases for end in ends for begin in range(end - 1))


@lru_cache(maxsize=20_000)
def _syllable(character: str) -> str:
    return str(_pinyin().lazy_pinyin(character)[0])
