"""Photos as phones make them, and files made to break what opens them."""

import io
import struct
import zlib
from typing import Any

from PIL import ExifTags, Image, PngImagePlugin

MARKS = (b"CHANGDE-OWNER", b"CHANGDE-PHONE", b"CHANGDE-COMMENT", b"CHANGDE-XMP")


def picture(size: tuple[int, int] = (400, 300), tone: int = 0) -> Image.Image:
    gradient = Image.linear_gradient("L").resize(size)
    return Image.merge("RGB", (gradient, gradient.point(lambda value: (value + tone) % 256), gradient))


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def jpeg(size: tuple[int, int] = (400, 300), tone: int = 0) -> bytes:
    return saved(picture(size, tone), "JPEG")


def png() -> bytes:
    return saved(picture(), "PNG")


def webp() -> bytes:
    return saved(picture(), "WEBP")


def transparent() -> bytes:
    return saved(Image.new("RGBA", (200, 200), (255, 0, 0, 90)), "PNG")


def two_in_one() -> bytes:
    """A JPEG with a second picture behind the first, as many phones write it."""
    return saved(picture(), "MPO", save_all=True, append_images=[picture(tone=50)])


def from_a_phone(longitude: float = 111.5, owner: str = "", taken: str = "2019:05:06 07:08:09") -> bytes:
    """With place, owner, camera, comment, XMP and the time of taking."""
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = MARKS[1].decode()
    exif[ExifTags.Base.Artist] = MARKS[0].decode()
    exif.get_ifd(ExifTags.IFD.GPSInfo).update(
        {ExifTags.GPS.GPSLatitudeRef: "N", ExifTags.GPS.GPSLatitude: (28.0, 54.0, 30.0)}
        | {ExifTags.GPS.GPSLongitudeRef: "E", ExifTags.GPS.GPSLongitude: (longitude, 0.0, 0.0)}
    )
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = taken
    xmp = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>" + MARKS[3] + owner.encode() + b"</x:xmpmeta>"
    return saved(picture((1200, 900)), "JPEG", exif=exif, comment=MARKS[2], xmp=xmp)


_TURNS = {1: None, 3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}


def red_on_top(orientation: int) -> bytes:
    """300 x 400, red at its upper edge, stored turned as a camera held so would store it."""
    upright = Image.new("RGB", (300, 400), "white")
    upright.paste("red", (0, 0, 300, 60))
    turn = _TURNS[orientation]
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    return saved(upright.transpose(turn) if turn is not None else upright, "JPEG", exif=exif, quality=95)


def torn_metadata() -> bytes:
    return saved(picture(), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\x7f junk")


def gif() -> bytes:
    return saved(picture(), "GIF")


def heic() -> bytes:
    return b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 64


def animated() -> bytes:
    return saved(picture(), "WEBP", save_all=True, append_images=[picture(tone=80)])


def png_bomb() -> bytes:
    """60,000 x 60,000 pixels of nothing in a few kilobytes."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\0" * 5_000_000, 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def jpeg_that_claims_too_much() -> bytes:
    """A small JPEG whose header says 65,000 x 65,000."""
    content = bytearray(jpeg())
    at = content.index(b"\xff\xc0") + 5
    content[at : at + 4] = struct.pack(">HH", 65_000, 65_000)
    return bytes(content)


def many_scans() -> bytes:
    """A progressive JPEG whose first scan is repeated hundreds of times: each costs a pass over the picture."""
    content = saved(picture(), "JPEG", progressive=True)
    first = content.index(b"\xff\xda")
    end = content.index(b"\xff", first + 2)
    return content[:first] + content[first:end] * 500 + content[first:]


def cut_off() -> bytes:
    content = jpeg()
    return content[: len(content) // 2]


def text_bomb() -> bytes:
    """A PNG with a compressed text of 10 MB."""
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", "0" * 10_000_000, zip=True)
    return saved(picture(), "PNG", pnginfo=info)
