"""Photos from outside, taken in safely: decoded within limits, turned upright, made small, encoded anew.

What is kept is a fresh JPEG: pixels and nothing else. Metadata (place, camera, owner, colour profile, comments, a
second picture behind the first) does not come along; the time of taking is read before and handed over apart.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO

from PIL import ExifTags, Image, ImageFile, ImageOps

MEGABYTE = 1 << 20
FORMATS = ("JPEG", "PNG", "WEBP")
LONGEST = 1600  # pixels of the longer side that is kept
THUMBNAIL = 240
QUALITY = 82
# A JPEG is decoded at a fraction of its size, the others whole: a phone's 50 megapixels pass, a bomb does not.
MOST_PIXELS: Mapping[str, int] = {"JPEG": 64_000_000, "MPO": 64_000_000, "PNG": 24_000_000, "WEBP": 24_000_000}
MOST_SCANS = 64  # of a progressive JPEG; each costs a pass over the whole picture


class PhotoRefused(Exception):
    """The photo is not taken. Codes: photo-empty, photo-large, photo-kind, photo-heic, photo-animated, photo-pixels,
    photo-small, photo-broken; `facts` fill the message."""

    def __init__(self, code: str, **facts: int):
        super().__init__(code)
        self.code, self.facts = code, facts


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo as it is kept: JPEG bytes, a small one for lists, the size in pixels, the camera's local time."""

    full: bytes
    thumbnail: bytes
    width: int
    height: int
    taken: datetime | None


def take_in(content: bytes, *, largest: int) -> Photo:
    """The photo that is kept of an uploaded file of at most `largest` bytes. Raises PhotoRefused."""
    if not content:
        raise PhotoRefused("photo-empty")
    if len(content) > largest:
        raise PhotoRefused("photo-large", megabytes=largest // MEGABYTE)
    if content[4:8] == b"ftyp":
        raise PhotoRefused("photo-heic")
    # weasyprint, once imported, tells Pillow to take torn files: half a photo is no evidence.
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    try:
        with Image.open(BytesIO(content), formats=FORMATS) as image:
            _check(image, content)
            return _kept(image)
    except PhotoRefused:
        raise
    except Image.UnidentifiedImageError as error:
        raise PhotoRefused("photo-kind") from error
    except Image.DecompressionBombError as error:
        raise PhotoRefused("photo-pixels", megapixels=_most(None)) from error
    except Exception as error:  # whatever a decoder says to a file made to break it
        raise PhotoRefused("photo-broken") from error


def _check(image: Image.Image, content: bytes) -> None:
    """By the header alone; no pixel has been decoded yet."""
    if image.width * image.height > MOST_PIXELS[image.format or ""]:
        raise PhotoRefused("photo-pixels", megapixels=_most(image.format))
    if min(image.size) < 16 or max(image.size) > 50 * min(image.size):
        raise PhotoRefused("photo-small")
    if image.format in ("PNG", "WEBP") and getattr(image, "is_animated", False):
        raise PhotoRefused("photo-animated")
    if image.format in ("JPEG", "MPO") and content.count(b"\xff\xda") > MOST_SCANS:
        raise PhotoRefused("photo-broken")


def _most(kind: str | None) -> int:
    return MOST_PIXELS.get(kind or "", min(MOST_PIXELS.values())) // 1_000_000


def _kept(image: Image.Image) -> Photo:
    taken = _taken(image)
    image.draft("RGB", (LONGEST, LONGEST))  # a JPEG is decoded at 1/2, 1/4 or 1/8 where that is still enough
    image.load()
    upright = ImageOps.exif_transpose(image)
    upright.thumbnail((LONGEST, LONGEST), Image.Resampling.LANCZOS)
    # A new picture on white paper takes the pixels and leaves everything else behind.
    plain = Image.new("RGB", upright.size, "white")
    shown = upright.convert("RGBA") if upright.has_transparency_data else upright.convert("RGB")
    plain.paste(shown, mask=shown if shown.mode == "RGBA" else None)
    small = ImageOps.fit(plain, (THUMBNAIL, THUMBNAIL), Image.Resampling.LANCZOS)
    return Photo(_jpeg(plain), _jpeg(small), plain.width, plain.height, taken)


def _jpeg(image: Image.Image) -> bytes:
    file = BytesIO()
    image.save(file, "JPEG", quality=QUALITY, optimize=True, progressive=False)
    return file.getvalue()


def _taken(image: Image.Image) -> datetime | None:
    """The camera's local time, when it says one."""
    try:
        exif = image.getexif()
        said = exif.get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.DateTimeOriginal) or exif.get(ExifTags.Base.DateTime)
        return datetime.strptime(str(said).strip("\0 "), "%Y:%m:%d %H:%M:%S")
    except Exception:  # a torn block of metadata says no time; the pixels may be sound
        return None
