"""`manage.py try_index VERSION --year Y`: try a version of an index system on real cards, in this process."""

import json
from functools import partial
from time import monotonic
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from changde.accounts.refusal import Refusal
from changde.divisions.models import Division
from changde.measure.progress import ProgressBar
from households.domain import trial
from households.models import IndexTrial, IndexVersion
from households.models.yearly_standard import CITY
from households.services import index_trials


class Command(BaseCommand):
    help = "Try a version of an index system on the cards of a year, beside the version in force; changes no result."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("version", type=int, help="id of the version, as in the address of its page")
        parser.add_argument("--year", type=int, help="accounting year of the cards; default the version's own")
        parser.add_argument("--division", type=int, help="12-digit code; default the version's county, or the city")
        parser.add_argument("--json", action="store_true", help="print the figures as JSON")

    def handle(self, version: int, **options: Any) -> None:
        began = monotonic()
        found = IndexVersion.objects.filter(pk=version).first()
        if found is None:
            raise CommandError(f"没有编号为 {version} 的指标体系版本", returncode=2)
        code = options["division"] or found.division_id or CITY
        area = Division.objects.filter(code=code).first()
        if area is None:
            raise CommandError(f"没有编码为 {code} 的行政区划", returncode=2)
        year = options["year"] or found.year
        try:
            tried = index_trials.start_trial(version=found, division=area, year=year, by=None, in_background=False)
            with ProgressBar(self.stderr) as bar:
                tried = index_trials.compute_trial(tried=tried, progress=partial(bar.show, f"试算 {year}"))
        except Refusal as refusal:
            raise CommandError(str(refusal.message), returncode=2) from refusal
        except KeyboardInterrupt:
            raise CommandError("已中断;再运行同一命令,从没有做完的乡镇接着算", returncode=130) from None
        if tried.state != IndexTrial.State.DONE:
            raise CommandError(f"试算没有完成:{tried.get_state_display()} {tried.error}")
        seconds = round(monotonic() - began, 3)
        if options["json"]:
            self.stdout.write(json.dumps(self._figures(tried, seconds), ensure_ascii=False))
        else:
            self._say(tried, seconds)

    def _say(self, tried: IndexTrial, seconds: float) -> None:
        for meaning, name in (("absolute", "绝对贫困"), ("poor", "绝对和相对贫困")):
            flow = trial.flow(tried.totals, meaning)
            self.stdout.write(
                f"{name}: 新进 {flow.enters.households:,} 户, 退出 {flow.leaves.households:,} 户,"
                f" {flow.unchanged.households:,} 户不变, {flow.undecided.households:,} 户无法判定"
            )
        self.stdout.write(f"{tried.households:,} 户, {seconds} 秒; 试算编号 {tried.pk}")

    def _figures(self, tried: IndexTrial, seconds: float) -> dict[str, Any]:
        flows = {meaning: trial.flow(tried.totals, meaning) for meaning in trial.MEANINGS}
        sides = {"reference": tried.reference.system, "draft": tried.system}
        measures = {side: trial.measures(tried.totals, side, system) for side, system in sides.items()}
        return {
            "trial": tried.pk,
            "households": tried.households,
            "seconds": seconds,
            "flows": {
                meaning: {
                    name: getattr(flow, name).households for name in ("enters", "leaves", "unchanged", "undecided")
                }
                for meaning, flow in flows.items()
            },
            "measures": {
                side: {name: getattr(found, name) for name in ("H", "A", "M0", "headcount", "gap", "severity")}
                for side, found in measures.items()
            },
            "sensitivity": {key: counts["households"] for key, counts in tried.sensitivity.items()},
        }
