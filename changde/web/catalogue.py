"""Catalogues of translations: reads .po files and writes .mo files, without gettext's tools.

The subset of the format that people write: comments, flags, msgctxt, msgid, msgid_plural, msgstr, msgstr[n], strings
over several lines, the usual escapes. Fuzzy, empty and obsolete entries are left out of the .mo, as msgfmt does.
"""

import os
import re
import struct
from dataclasses import dataclass, field
from pathlib import Path

_LINE = re.compile(r'(?:(msgctxt|msgid_plural|msgid|msgstr(?:\[(\d+)\])?)\s*)?"((?:[^"\\]|\\.)*)"')
_ESCAPE = re.compile(r"\\(.)")
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\"}
_MAGIC, _HEADER_BYTES = 0x950412DE, 28


class CatalogueError(ValueError):
    """A .po file that cannot be read: says the line and what stands there."""


@dataclass
class Message:
    """One entry. `translations` has one text, or one per plural form."""

    line: int
    identifier: str = ""
    plural: str | None = None
    context: str | None = None
    fuzzy: bool = False
    translations: dict[int, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """What gettext looks the entry up by."""
        return self.identifier if self.context is None else f"{self.context}\x04{self.identifier}"

    @property
    def usable(self) -> bool:
        return not self.fuzzy and bool(self.translations) and all(self.translations.values())


def parse(text: str) -> list[Message]:
    """The entries of a .po file in their order, the header (empty identifier) among them."""
    messages: list[Message] = []
    reader = _Reader(messages)
    for number, line in enumerate(text.split("\n"), start=1):
        reader.take(number, line.strip())
    _refuse_doubles(messages)
    return messages


def compiled(messages: list[Message]) -> bytes:
    """The bytes of the .mo file: sorted originals, then translations (GNU gettext manual, "MO Files")."""
    pairs = sorted(
        (_original(message).encode(), _translation(message).encode()) for message in messages if message.usable
    )
    tables = _HEADER_BYTES + 16 * len(pairs)
    places: list[int] = []
    texts = b""
    for text in [original for original, _ in pairs] + [translation for _, translation in pairs]:
        places += [len(text), tables + len(texts)]
        texts += text + b"\0"
    header = (_MAGIC, 0, len(pairs), _HEADER_BYTES, _HEADER_BYTES + 8 * len(pairs), 0, tables)
    return struct.pack(f"<{7 + 4 * len(pairs)}I", *header, *places) + texts


def compile_file(source: Path) -> int:
    """Write the .mo beside the .po, in one step; the number of translated entries, without the header.

    Several processes may do so at once, each with a partial file of its own.
    """
    try:
        messages = parse(source.read_text(encoding="utf-8"))
    except CatalogueError as error:
        raise CatalogueError(f"{source}: {error}") from error
    partial = source.with_suffix(f".mo.{os.getpid()}.partial")
    partial.write_bytes(compiled(messages))
    partial.replace(source.with_suffix(".mo"))
    return sum(message.usable and message.identifier != "" for message in messages)


class _Reader:
    """Puts one line after the other into the last message of the list."""

    def __init__(self, messages: list[Message]) -> None:
        self.messages = messages
        self.fuzzy = False
        self.context: str | None = None
        self.place = "msgstr"  # what a continued string continues
        self.form = 0

    def take(self, number: int, line: str) -> None:
        if line.startswith("#"):
            self.fuzzy = self.fuzzy or (line.startswith("#,") and "fuzzy" in line)
            return
        if not line:
            return
        matched = _LINE.fullmatch(line)
        if not matched:
            raise CatalogueError(f"line {number} is not understood: {line}")
        keyword, form, quoted = matched.groups()
        text = _unescaped(quoted, number)
        if keyword is not None:
            self._begin(keyword.partition("[")[0], int(form or 0), number)
        elif not self.messages:
            raise CatalogueError(f"line {number} continues nothing: {line}")
        self._add(text)

    def _begin(self, keyword: str, form: int, number: int) -> None:
        self.place, self.form = keyword, form
        if keyword == "msgctxt":
            self.context = ""
        elif keyword == "msgid":
            self.messages.append(Message(number, context=self.context, fuzzy=self.fuzzy))
            self.context, self.fuzzy = None, False
        elif not self.messages:
            raise CatalogueError(f"line {number}: {keyword} before any msgid")
        elif keyword == "msgstr" and form in self.messages[-1].translations:
            raise CatalogueError(f"line {number}: a second msgstr of one entry")

    def _add(self, text: str) -> None:
        if self.place == "msgctxt":
            self.context = (self.context or "") + text
            return
        message = self.messages[-1]
        if self.place == "msgid":
            message.identifier += text
        elif self.place == "msgid_plural":
            message.plural = (message.plural or "") + text
        else:
            message.translations[self.form] = message.translations.get(self.form, "") + text


def _unescaped(quoted: str, number: int) -> str:
    def character(matched: re.Match) -> str:
        if matched[1] not in _ESCAPED:
            raise CatalogueError(f"line {number}: unknown escape \\{matched[1]}")
        return _ESCAPED[matched[1]]

    return _ESCAPE.sub(character, quoted)


def _refuse_doubles(messages: list[Message]) -> None:
    lines: dict[str, int] = {}
    for message in messages:
        if message.key in lines:
            raise CatalogueError(f"line {message.line} repeats line {lines[message.key]}: {message.identifier}")
        lines[message.key] = message.line


def _original(message: Message) -> str:
    return message.key if message.plural is None else f"{message.key}\0{message.plural}"


def _translation(message: Message) -> str:
    return "\0".join(text for _form, text in sorted(message.translations.items()))
