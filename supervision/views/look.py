"""What supervision's values look like on pages, and its entries in the rail."""

from django.utils.translation import gettext_lazy as _

from changde.web import badges, navigation
from supervision.models import ListEntry, Objection

_STATES = {
    "draft": (_("草稿"), "neutral", "edit"),
    "posted": (_("已张贴"), "info", "clock"),
    "running": (_("公示中"), "accent", "publicity"),
    "ended": (_("已期满"), "good", "check"),
    "superseded": (_("已更正"), "warning", "undo"),
}
_KIND_TONES = {"identification": "danger", "return": "danger", "marginal": "warning", "unstable": "warning"}
_OBJECTIONS = {
    "open": (_("待核实"), "info", "clock"),
    "visited": (_("待决定"), "info", "eye"),
    "late": (_("已超期"), "danger", "alert"),
    "upheld": (_("异议成立"), "warning", "flag"),
    "rejected": (_("异议不成立"), "good", "check"),
}


def register_look() -> None:
    """Called once, when the app is ready."""
    for state, look in _STATES.items():
        badges.register("list_state", state, *look)
    for kind in ListEntry.Kind:
        badges.register("list_kind", kind, kind.label, _KIND_TONES[kind])
    for block in ListEntry.Block:
        badges.register("list_block", block, block.label, "warning", "stop")
    for state, look in _OBJECTIONS.items():
        badges.register("objection", state, *look)
    for about in Objection.About:
        badges.register("objection_about", about, about.label)
    navigation.register("lists", _("公示"), "lists:index", "publicity", "read_lists", order=40)
    navigation.register("objections", _("异议"), "objections:desk", "flag", "read_objections", order=45)
