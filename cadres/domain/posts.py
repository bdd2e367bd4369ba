"""Which posts a village has: how many cadres of which role the rules send there.

Default rules (domain page docs/matching.md, "Posts"): each rural village with a registered household gets one first
secretary; one more work team member from 20 registered households, two from 80; a professional secretary where the
registered incidence is over 10 %. All thresholds are parameters.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

FIRST_SECRETARY = "第一书记"
TEAM_MEMBER = "驻村工作队员"
PROFESSIONAL_SECRETARY = "专业书记"
HELPER = "帮扶责任人"
POST_ROLES = (FIRST_SECRETARY, TEAM_MEMBER, PROFESSIONAL_SECRETARY)
ROLES = (*POST_ROLES, HELPER)


@dataclass(frozen=True)
class PostRules:
    """Thresholds of the posts. `team_members` maps "from so many registered households" to "so many members";
    shares are exact fractions, so that 2 % means 2 % and not the nearest double."""

    first_secretary_from: int = 1
    team_members: Mapping[int, int] = field(default_factory=lambda: {20: 1, 80: 2})
    professional_above: Fraction = Fraction(10, 100)
    priority_above: Fraction = Fraction(2, 100)


@dataclass(frozen=True)
class VillagePoverty:
    """What the post rules read of one village. `rural_persons` is None when neither the village card nor the cards
    tell how many people live there: incidence is then unknown and no rule about incidence applies."""

    village: int
    rural: bool
    registered_households: int
    registered_persons: int
    rural_persons: int | None

    @property
    def incidence(self) -> Fraction | None:
        """Registered persons over rural persons; None when unknown."""
        if not self.rural_persons:
            return None
        return Fraction(self.registered_persons, self.rural_persons)


@dataclass(frozen=True, order=True)
class Post:
    """One seat in a village. `priority` marks the posts that are filled before all others."""

    village: int
    role: str
    seat: int = 1
    priority: bool = field(default=False, compare=False)


def posts_of(village: VillagePoverty, rules: PostRules) -> list[Post]:
    """The posts of one village: first secretary, team members, professional secretary, in this order."""
    if not village.rural or village.registered_households < max(rules.first_secretary_from, 1):
        return []
    posts = [
        Post(
            village.village,
            FIRST_SECRETARY,
            1,
            _exceeds(village.incidence, rules.priority_above),
        )
    ]
    posts += [Post(village.village, TEAM_MEMBER, seat + 1) for seat in range(_members(village, rules))]
    if _exceeds(village.incidence, rules.professional_above):
        posts.append(Post(village.village, PROFESSIONAL_SECRETARY))
    return posts


def posts_of_all(villages: Iterable[VillagePoverty], rules: PostRules) -> list[Post]:
    """The posts of many villages, ordered by village code."""
    return [post for village in sorted(villages, key=lambda one: one.village) for post in posts_of(village, rules)]


def _members(village: VillagePoverty, rules: PostRules) -> int:
    reached = [members for start, members in rules.team_members.items() if village.registered_households >= start]
    return max(reached, default=0)


def _exceeds(incidence: Fraction | None, bar: Fraction) -> bool:
    return incidence is not None and incidence > bar
