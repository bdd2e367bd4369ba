"""The text and the pages of a PDF of ours, read without a library: enough for what weasyprint writes."""

import re
import zlib
from dataclasses import dataclass


@dataclass(frozen=True)
class Pdf:
    pages: list[str]
    raw: bytes  # everything inside, inflated

    @property
    def text(self) -> str:
        return "\n".join(self.pages)


def read(content: bytes) -> Pdf:
    streams = {int(number): _inflated(body) for number, body in _STREAM.findall(content)}
    objects = dict(pair for stream in streams.values() if stream[:200].split()[:1] for pair in _packed(stream))
    objects |= {int(number): body for number, body in _PLAIN.findall(content)}
    everything = b"\n".join(objects.values())
    fonts = {tag: _meanings(streams[int(at)]) for tag, at in _FONT.findall(everything)}
    pages = [body for _number, body in sorted(objects.items()) if re.search(rb"/Type /Page\b(?!s)", body)]
    told = [_text(streams[int(_CONTENTS.search(page)[1])], fonts) for page in pages]
    return Pdf(told, b"\n".join([*streams.values(), *objects.values(), content]))


_STREAM = re.compile(rb"(\d+) 0 obj\s*<<.*?>>\s*stream\r?\n(.*?)\r?\nendstream", re.S)
_PLAIN = re.compile(rb"(\d+) 0 obj\s*(<<(?:(?!stream\r?\n).)*?>>)\s*endobj", re.S)
_FONT = re.compile(rb"/BaseFont /(\w+)\+\S*?/ToUnicode (\d+) 0 R")
_CONTENTS = re.compile(rb"/Contents (\d+) 0 R")
_SHOWN = re.compile(rb"/([\w-]+) [\d.]+ Tf|<([0-9a-fA-F]+)>|\b(ET)\b")


def _inflated(body: bytes) -> bytes:
    return zlib.decompressobj().decompress(body) if body[:1] == b"x" else body


def _packed(stream: bytes) -> list[tuple[int, bytes]]:
    """The objects of an object stream: pairs of number and offset, then the objects."""
    head = re.match(rb"((?:\d+ \d+\s+)+)<<", stream)
    if not head:
        return []
    numbers = list(map(int, head[1].split()))
    pairs = sorted(zip(numbers[::2], numbers[1::2], strict=True), key=lambda pair: pair[1])
    first = len(head[1]) - pairs[0][1]
    ends = [offset for _number, offset in pairs[1:]] + [len(stream)]
    return [(number, stream[first + at : first + end]) for (number, at), end in zip(pairs, ends, strict=True)]


def _meanings(cmap: bytes) -> dict[bytes, str]:
    pairs = re.findall(rb"<([0-9a-fA-F]{4})> <([0-9a-fA-F]{4,})>", cmap)
    return {glyph.lower(): bytes.fromhex(text.decode()).decode("utf-16-be") for glyph, text in pairs}


def _text(content: bytes, fonts: dict[bytes, dict[bytes, str]]) -> str:
    told, font = [], {}
    for name, glyphs, end in _SHOWN.findall(content):
        font = fonts.get(name, font) if name else font
        told += [font.get(glyphs[at : at + 4].lower(), "") for at in range(0, len(glyphs), 4)]
        told += ["\n"] if end else []
    return "".join(told)
