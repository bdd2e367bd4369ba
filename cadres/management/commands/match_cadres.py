"""match_cadres --division CODE: propose the plan at the optimum and print it."""

import json
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from cadres import messages
from cadres.models import MatchPlan
from cadres.selectors import plan_as_data
from cadres.services.plans import PlanRules, propose_plan
from changde.accounts.models import User
from changde.accounts.refusal import Refusal
from changde.divisions.models import Division


class Command(BaseCommand):
    help = "Match cadres to the posts of a division at the proven optimum and keep the plan as a proposal."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--division", type=int, required=True, help="12-digit code")
        parser.add_argument("--start", type=date.fromisoformat, help="first day of the postings (default: today)")
        parser.add_argument("--years", type=int, default=PlanRules().years, help="length of the term")
        parser.add_argument("--by", help="user name of who acts, whose rights then count (default: the system itself)")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        by = User.objects.filter(username=options["by"]).first() if options["by"] else None
        if options["by"] and by is None:
            raise CommandError(f"there is no user {options['by']}")
        division = Division.objects.filter(code=options["division"]).first()
        if division is None:
            raise CommandError(f"there is no division {options['division']}")
        if not 1 <= options["years"] <= 5:
            raise CommandError("--years lies between 1 and 5")
        try:
            plan = propose_plan(
                division=division.code, by=by, start=options["start"], rules=PlanRules(years=options["years"])
            )
        except Refusal as refusal:
            raise CommandError(str(refusal.message)) from refusal
        data = plan_as_data(plan)
        self.stdout.write(json.dumps(data, ensure_ascii=False, indent=2) if options["json"] else _words(plan, data))


def _words(plan: MatchPlan, data: dict[str, Any]) -> str:
    lines = [
        f"{plan.division} {plan.term_start}–{plan.term_end}",
        f"posts {plan.posts}, filled {plan.filled} (first secretaries with priority: "
        f"{plan.priority_filled} of {plan.priority_posts}); "
        f"total fit {plan.objective:.6f}, upper bound {plan.bound:.6f}, gap {plan.gap:.9f}",
    ]
    lines += [f"  {one['village']} {one['role']}: {one['cadre']} ({one['score']:.6f})" for one in data["assignments"]]
    lines += [f"  {one['village']} {one['role']}: {messages.unfilled(one['reason'])}" for one in data["unfilled"]]
    return "\n".join(lines)
