"""The tasks of the home page, one function a subject. Each narrows to the person's area and the division worked in."""

from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from urllib.parse import urlencode

from django.db.models import Count, Min
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from cadres.selectors import plans_to_sign
from changde.accounts.models import User
from changde.jobs.models import Job
from households.models import CardDraft, WaitingHousehold
from households.selectors.duplicates import cases
from households.selectors.events import moves_to_receive
from households.selectors.findings import returned_notes, unexplained, waiting_for_review
from households.selectors.index_versions import returned_versions, versions_to_release
from households.selectors.leads import COUNTED, counted_text
from households.selectors.leads import waiting as leads_waiting
from households.selectors.standards import standards_to_release
from supervision.models import Objection, PublicityList, Step
from supervision.selectors.tasks import Task

# So many of a kind stand one by one; more are one line that leads to their desk.
ONE_BY_ONE = 5


def _to(name: str, *arguments: object, **query: object) -> str:
    """The address of a step; empty where the installation lacks the page, and the task is left out."""
    try:
        return reverse(name, args=arguments) + (f"?{urlencode(query)}" if query else "")
    except NoReverseMatch:
        return ""


def jobs(user: User, code: int) -> Iterator[Task]:
    """The person's own background jobs: one that runs, and the last that failed within a week."""
    own = Job.objects.filter(owner=user, parent=None)
    running = own.filter(state__in=Job.OPEN).order_by("pk").first()
    failed_since = timezone.now() - timedelta(days=7)
    failed = own.filter(state=Job.State.FAILED, finished_at__gt=failed_since).order_by("-pk").first()
    here = _to("jobs:list")
    if running:
        yield Task("job_running", _("后台任务正在进行"), here, "jobs", since=running.created_at)
    if failed:
        yield Task("job_failed", _("后台任务失败，请看原因"), here, "stop", failed.error, failed.finished_at)


def findings(user: User, code: int) -> Iterator[Task]:
    """Notes of the checks for who reviews them."""
    if not user.can("review_findings"):
        return
    found = waiting_for_review(user, code)
    if found.count:
        facts = {"count": found.text}
        text = ngettext("审核 %(count)s 个数据疑点", "审核 %(count)s 个数据疑点", found.count) % facts
        yield Task("findings", text, _to("households:findings"), "flag", since=found.since)


def leads(user: User, code: int) -> Iterator[Task]:
    """Leads the person's own office has to look into: late, due within a week, and all of them where others wait too.

    Each leads to the list that holds as many.
    """
    if not user.can("work_leads"):
        return
    found = leads_waiting(user, code)
    if found.late:
        facts = {"count": counted_text(found.late)}
        text = ngettext("%(count)s 条线索已超期", "%(count)s 条线索已超期", found.late) % facts
        here = _to("households:leads", state="late")
        yield Task("leads_late", text, here, "clock", since=found.since, due=found.due)
    if found.week:
        facts = {"count": counted_text(found.week)}
        text = ngettext("%(count)s 条线索一周内到期", "%(count)s 条线索一周内到期", found.week) % facts
        here = _to("households:leads", state="week")
        yield Task("leads_week", text, here, "calendar", since=found.since, due=found.week_due)
    if found.count > min(found.late + found.week, COUNTED):
        facts = {"count": counted_text(found.count)}
        text = ngettext("走访核查 %(count)s 条线索", "走访核查 %(count)s 条线索", found.count) % facts
        yield Task("leads", text, _to("households:leads"), "eye", since=found.since, due=found.later_due)


def notes_to_explain(user: User, code: int) -> Iterator[Task]:
    """Notes that came back to who keeps the cards, one by one with the reason; and how many nobody explained yet."""
    if not user.can("edit_cards"):
        return
    rows = list(returned_notes(user, code)[: ONE_BY_ONE + 1])
    for row in rows[:ONE_BY_ONE]:
        text = _("说明或更正被退回的疑点")
        detail = f"{row.household.masked_head} · {row.return_reason}"
        where = _to("households:finding_explain", row.pk)
        yield Task(f"returned_{row.pk}", text, where, "undo", detail, row.returned_at)
    here = _to("households:findings_to_explain")
    if len(rows) > ONE_BY_ONE:
        yield Task("returned", _("还有其他被退回的疑点"), here, "undo", since=rows[-1].returned_at)
    if user.can("review_findings"):
        return
    found = unexplained(user, code)
    if found.count:
        facts = {"count": found.text}
        text = ngettext("核实 %(count)s 个数据疑点", "核实 %(count)s 个数据疑点", found.count) % facts
        yield Task("findings", text, here, "flag", since=found.since)


def waiting_households(user: User, code: int) -> Iterator[Task]:
    """Households of the person's imports that wait for the duplicates desk."""
    waiting = WaitingHousehold.objects.visible_to(user).filter(settled_at=None)
    found = waiting.aggregate(count=Count("pk"), oldest=Min("since"))
    if found["count"]:
        text = ngettext("%(count)s 户等待查重", "%(count)s 户等待查重", found["count"]) % found
        yield Task("waiting", text, _to("households:imports"), "clock", since=found["oldest"])


def card_drafts(user: User, code: int) -> Iterator[Task]:
    """The person's own unsaved cards; a deadline when the first of them will soon be forgotten."""
    rows = CardDraft.objects.visible_to(user).current().order_by("changed_at")[: ONE_BY_ONE * 10]
    own = list(rows.defer("content"))
    if own:
        count = {"count": len(own)}
        text = ngettext("%(count)s 份户卡草稿还没有提交", "%(count)s 份户卡草稿还没有提交", len(own)) % count
        due = timezone.localtime(own[0].forgotten_at).date() if own[0].is_soon_forgotten else None
        yield Task("card_drafts", text, _to("households:drafts"), "edit", since=own[0].changed_at, due=due)


def duplicates(user: User, code: int) -> Iterator[Task]:
    """Cases of the duplicates desk for which the person's own office is the lowest that covers both sides."""
    if not user.can("decide_duplicates"):
        return
    own = cases(user, code).filter(area__in=[post.division_id for post in user.open_posts])
    found = own.aggregate(count=Count("pk"), oldest=Min("found_at"))
    if found["count"]:
        text = ngettext("核对 %(count)s 件重复记录", "核对 %(count)s 件重复记录", found["count"]) % found
        yield Task("duplicates", text, _to("households:duplicates"), "match", since=found["oldest"])


def moves(user: User, code: int) -> Iterator[Task]:
    """Households that move into the person's villages and wait to be received."""
    if not user.can("edit_cards"):
        return
    rows = list(moves_to_receive(user, code)[: ONE_BY_ONE + 1])
    for row in rows[:ONE_BY_ONE]:
        yield Task(
            f"move_{row.pk}",
            _("接收迁入的户"),
            _to("households:move", row.pk),
            "map",
            str(row.to_village),
            row.asked_at,
        )
    if len(rows) > ONE_BY_ONE:
        yield Task("moves", _("还有其他迁入的户待接收"), _to("households:moves"), "map", since=rows[-1].asked_at)


def drafts(user: User, code: int) -> Iterator[Task]:
    """Draft lists somebody else made, for who may post them."""
    right = {Step.FIRST: "post_village_list", Step.SECOND: "post_township_list"}
    steps = [step for step, capability in right.items() if user.can(capability)]
    waiting = PublicityList.objects.visible_to(user).within(code).drafts().filter(step__in=steps)
    for draft in waiting.exclude(drafted_by=user).select_related("village").order_by("drafted_at")[:ONE_BY_ONE]:
        text = _("核对并张贴%(step)s") % {"step": draft.get_step_display()}
        detail = f"{draft.village} · {draft.year}"
        yield Task(f"draft_{draft.pk}", text, _to("lists:page", draft.pk), "publicity", detail, draft.drafted_at)


def shown_lists(user: User, code: int) -> Iterator[Task]:
    """Lists in their period, for who works on lists: days left."""
    if not user.can("work_on_lists"):
        return
    shown = PublicityList.objects.visible_to(user).within(code).shown(timezone.now())
    for row in shown.select_related("village", "snapshot").order_by("snapshot__ends_at")[:ONE_BY_ONE]:
        text = _("%(step)s正在公示") % {"step": row.get_step_display()}
        last = timezone.localtime(row.snapshot.ends_at - timedelta(seconds=1)).date()
        detail = f"{row.village} · {row.year}"
        yield Task(f"shown_{row.pk}", text, _to("lists:page", row.pk), "calendar", detail, due=last)


def second_lists(user: User, code: int) -> Iterator[Task]:
    """First lists whose period is over and which have no second one, for the township."""
    if not user.can("make_township_list"):
        return
    ended = PublicityList.objects.visible_to(user).within(code).ended(timezone.now())
    over = ended.filter(step=Step.FIRST, seconds=None)
    for row in over.select_related("village", "snapshot").order_by("snapshot__ends_at")[:ONE_BY_ONE]:
        detail = f"{row.village} · {row.year}"
        text = _("第一次公示已满，拟第二次公示名单")
        yield Task(f"second_{row.pk}", text, _to("lists:page", row.pk), "publicity", detail, row.snapshot.ends_at)


def objections(user: User, code: int) -> Iterator[Task]:
    """Open objections the person's office decides, by their due date."""
    if not user.can("decide_objections"):
        return
    own = [post.division_id for post in user.open_posts]
    waiting = Objection.objects.visible_to(user, "decide_objections").within(code).open().filter(owner__in=own)
    rows = list(waiting.select_related("village").order_by("due", "received_at")[: ONE_BY_ONE + 1])
    for row in rows[:ONE_BY_ONE]:
        where = _to("objections:case", row.pk)
        yield Task(
            f"objection_{row.pk}", _("核实并答复异议"), where, "scale", str(row.village), row.received_at, row.due
        )
    if len(rows) > ONE_BY_ONE:
        yield Task("objections", _("还有其他异议待答复"), _to("objections:desk"), "scale", due=rows[-1].due)


def plans(user: User, code: int) -> Iterator[Task]:
    """Plans of cadres that wait for the person's signature."""
    for plan in plans_to_sign(user).select_related("division").order_by("made_at")[:ONE_BY_ONE]:
        text = _("签批干部派驻方案")
        yield Task(f"plan_{plan.pk}", text, _to("cadres:plan", plan.pk), "match", str(plan.division), plan.made_at)


def standards(user: User, code: int) -> Iterator[Task]:
    """Yearly standards a colleague has put forward, for who may release them."""
    for standard in standards_to_release(user).select_related("division").order_by("pk")[:ONE_BY_ONE]:
        where = _to("households:standard", standard.pk)
        detail = f"{standard.place} · {standard.year}"
        yield Task(f"standard_{standard.pk}", _("核对并发布年度标准"), where, "scale", detail, standard.created_at)


def index_versions(user: User, code: int) -> Iterator[Task]:
    """Index versions a colleague has put forward, for who may release them; and those that came back with a reason."""
    for version in versions_to_release(user).order_by("proposed_at")[:ONE_BY_ONE]:
        where = _to("households:index_version", version.pk)
        detail = f"{version.place} · {version.year}"
        yield Task(f"index_{version.pk}", _("核对并发布识别标准"), where, "scroll", detail, version.proposed_at)
    for version in returned_versions(user).order_by("returned_at")[:ONE_BY_ONE]:
        where = _to("households:index_version", version.pk)
        detail = f"{version.place} · {version.year} · {version.return_reason}"
        yield Task(f"index_{version.pk}", _("修改被退回的识别标准"), where, "undo", detail, version.returned_at)


# (person, code of the division worked in) -> tasks
Provider = Callable[[User, int], Iterable[Task]]
PROVIDERS: tuple[Provider, ...] = (
    findings,
    leads,
    notes_to_explain,
    waiting_households,
    card_drafts,
    duplicates,
    moves,
    drafts,
    shown_lists,
    second_lists,
    objections,
    plans,
    index_versions,
    standards,
    jobs,
)
