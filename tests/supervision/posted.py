"""Posted lists for tests that do not test the posting."""

import hashlib
from datetime import UTC, datetime

from supervision.models import PublicityList, Snapshot

START = datetime(2026, 11, 23, 16, tzinfo=UTC)
END = datetime(2026, 11, 30, 16, tzinfo=UTC)
TEXT = "常德市建档立卡公示名单\n1 张*华 3 人\n"


def posted(people, village, year=2019, number=1, text=TEXT):
    """A posted list whose text names its village, so that no two share a checksum."""
    made = PublicityList.objects.create(
        village_id=village, year=year, step="first", number=number, drafted_by=people.fengming_cadre
    )
    full = f"{village} {year}\n{text}"
    Snapshot.objects.create(
        publicity_list=made,
        text=full,
        sha256=hashlib.sha256(full.encode()).hexdigest(),
        posted_by=people.fengming_team,
        posted_at=datetime(2026, 11, 23, 2, tzinfo=UTC),
        starts_at=START,
        ends_at=END,
        days=7,
        index_version="常德市标准 2019-1",
    )
    return made
