"""Addresses of the people who are helped."""

from django.urls import path

from households.views import card, card_form, cards, checks, findings, imports, index_runs, village_cards, why

app_name = "households"
urlpatterns = [
    path("search/", cards.search, name="search"),
    path("households/", cards.index, name="list"),
    path("households/new/", card_form.new, name="new"),
    path("households/<int:household_id>/", card.card, name="card"),
    path("households/<int:household_id>/edit/", card_form.edit, name="edit"),
    path("households/<int:household_id>/reveal/", card.reveal, name="reveal"),
    path("households/<int:household_id>/why/", why.why, name="why"),
    path("findings/", findings.desk, name="findings"),
    path("findings/to-explain/", findings.to_explain, name="findings_to_explain"),
    path("findings/<int:finding_id>/", findings.case, name="finding"),
    path("findings/<int:finding_id>/accept/", findings.accept, name="finding_accept"),
    path("findings/<int:finding_id>/return/", findings.send_back, name="finding_return"),
    path("findings/<int:finding_id>/undo/", findings.undo, name="finding_undo"),
    path("findings/<int:finding_id>/explain/", findings.explain, name="finding_explain"),
    path("checks/", checks.index, name="checks"),
    path("checks/<slug:check_id>/", checks.edit, name="check"),
    path("imports/", imports.index, name="imports"),
    path("imports/new/", imports.new, name="import"),
    path("imports/template/", imports.template, name="import_template"),
    path("imports/<int:batch_id>/", imports.page, name="import_page"),
    path("imports/<int:batch_id>/accept/", imports.accept, name="import_accept"),
    path("imports/<int:batch_id>/returned/", imports.returned, name="import_returned"),
    path("runs/", index_runs.index, name="runs"),
    path("runs/<int:run_id>/", index_runs.page, name="run"),
    path("runs/<int:run_id>/cancel/", index_runs.cancel, name="run_cancel"),
    path("villages/<int:code>/card/", village_cards.show, name="village_card"),
    path("villages/<int:code>/card/edit/", village_cards.edit, name="village_card_edit"),
]
