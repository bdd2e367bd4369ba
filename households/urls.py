"""Addresses of the people who are helped."""

from django.urls import path

from households.views import card, card_form, cards, imports, standards, village_cards, why, worksheet

app_name = "households"
urlpatterns = [
    path("search/", cards.search, name="search"),
    path("households/", cards.index, name="list"),
    path("households/new/", card_form.new, name="new"),
    path("households/worksheet/propose/", worksheet.propose, name="propose_lines"),
    path("households/<int:household_id>/", card.card, name="card"),
    path("households/<int:household_id>/edit/", card_form.edit, name="edit"),
    path("households/<int:household_id>/reveal/", card.reveal, name="reveal"),
    path("households/<int:household_id>/why/", why.why, name="why"),
    path("imports/", imports.index, name="imports"),
    path("imports/new/", imports.new, name="import"),
    path("imports/template/", imports.template, name="import_template"),
    path("imports/<int:batch_id>/", imports.page, name="import_page"),
    path("imports/<int:batch_id>/accept/", imports.accept, name="import_accept"),
    path("imports/<int:batch_id>/returned/", imports.returned, name="import_returned"),
    path("standards/", standards.index, name="standards"),
    path("standards/draft/", standards.draft, name="standard_draft"),
    path("standards/<int:standard_id>/", standards.page, name="standard"),
    path("standards/<int:standard_id>/edit/", standards.edit, name="standard_edit"),
    path("standards/<int:standard_id>/propose/", standards.propose, name="standard_propose"),
    path("standards/<int:standard_id>/release/", standards.release, name="standard_release"),
    path("standards/<int:standard_id>/discard/", standards.discard, name="standard_discard"),
    path("villages/<int:code>/card/", village_cards.show, name="village_card"),
    path("villages/<int:code>/card/edit/", village_cards.edit, name="village_card_edit"),
]
