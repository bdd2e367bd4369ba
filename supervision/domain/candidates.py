"""Which households a first list names: the table of identification, household by household. Pure.

Rules, reasons and a worked example: docs/publicity.md.
"""

from collections.abc import Set
from dataclasses import dataclass

IDENTIFICATION, RETURN, MARGINAL, UNSTABLE = KINDS = ("identification", "return", "marginal", "unstable")
NO_RESULT, UNDETERMINED, STALE, EXCLUDED, VERIFY = BLOCKS = (
    "no_result",
    "undetermined",
    "stale",
    "excluded",
    "verify",
)

# Households that are helped already stay where they are; their exit is a procedure of its own.
SETTLED = frozenset({"registered", "returned", "closed"})
# Monitored kinds of households that were registered once and left.
_ONCE_REGISTERED = frozenset({"unstable"})


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a household. `outcome` None: no result; `below_monitoring`: income below the monitoring line."""

    status: str
    outcome: str | None
    below_monitoring: bool | None = None
    flags: Set[str] = frozenset()
    monitored_kind: str = ""


@dataclass(frozen=True, slots=True)
class Judgement:
    """`kind` empty: no candidate by what is known. `blocks`: why it may not stand on a list yet."""

    kind: str = ""
    blocks: tuple[str, ...] = ()

    @property
    def enters(self) -> bool:
        return bool(self.kind) and not self.blocks

    @property
    def matters(self) -> bool:
        """Does the household stand on the draft at all, on it or held back?"""
        return bool(self.kind or self.blocks)


def judge(facts: Facts) -> Judgement:
    """Candidate or not, and what holds it back.

    A missing, stale or undetermined result holds any household back, since its outcome is open; an exclusion rule or
    an open finding holds back candidates only.
    """
    if facts.status in SETTLED:
        return Judgement()
    if facts.outcome is None:
        return Judgement(blocks=(NO_RESULT,))
    kind = _kind(facts)
    blocks = [block for block in (STALE, UNDETERMINED) if block in facts.flags or block == facts.outcome]
    if kind:
        blocks += [block for block in (EXCLUDED, VERIFY) if block in facts.flags]
    return Judgement(kind, tuple(blocks))


def _kind(facts: Facts) -> str:
    once_registered = facts.status == "exited" or facts.monitored_kind in _ONCE_REGISTERED
    if facts.outcome == "absolute":
        return RETURN if once_registered else IDENTIFICATION
    if facts.outcome == "relative" and facts.below_monitoring and facts.status != "monitored":
        return UNSTABLE if once_registered else MARGINAL
    return ""
