"""Addresses of the people who are helped."""

from django.urls import path

from households.views import card, card_form, cards, drafts, imports, needs, village_cards, why

app_name = "households"
urlpatterns = [
    path("search/", cards.search, name="search"),
    path("households/", cards.index, name="list"),
    path("households/new/", card_form.new, name="new"),
    path("households/drafts/", drafts.index, name="drafts"),
    path("households/drafts/key/", drafts.key, name="draft_key"),
    path("households/drafts/keep/", drafts.keep, name="keep_draft"),
    path("households/drafts/<int:draft_id>/discard/", drafts.discard, name="discard_draft"),
    path("households/drafts/<int:draft_id>/restore/", drafts.restore, name="restore_draft"),
    path("households/<int:household_id>/", card.card, name="card"),
    path("households/<int:household_id>/edit/", card_form.edit, name="edit"),
    path("households/<int:household_id>/reveal/", card.reveal, name="reveal"),
    path("households/<int:household_id>/needs/", needs.needs, name="needs"),
    path("households/<int:household_id>/why/", why.why, name="why"),
    path("imports/", imports.index, name="imports"),
    path("imports/new/", imports.new, name="import"),
    path("imports/template/", imports.template, name="import_template"),
    path("imports/<int:batch_id>/", imports.page, name="import_page"),
    path("imports/<int:batch_id>/accept/", imports.accept, name="import_accept"),
    path("imports/<int:batch_id>/returned/", imports.returned, name="import_returned"),
    path("villages/<int:code>/card/", village_cards.show, name="village_card"),
    path("villages/<int:code>/card/edit/", village_cards.edit, name="village_card_edit"),
]
