"""What the static checks beside pytest found (scripts/check.py writes it when the last of them has ended)."""

import json
import os
import time
from pathlib import Path
from typing import Any

SECONDS = 600  # on a machine that others use too


def check_results() -> list[dict[str, Any]]:
    """Each check's name, code (0: passes), output and seconds, once all have ended; none when pytest runs alone."""
    address = os.environ.get("CHANGDE_CHECK_RESULTS")
    if not address:
        return []
    deadline = time.monotonic() + SECONDS
    while not Path(address).exists():
        assert time.monotonic() < deadline, f"the static checks did not end within {SECONDS} s"
        time.sleep(0.1)
    return json.loads(Path(address).read_text(encoding="utf-8"))
