"""Addresses of the people who are helped."""

from django.urls import path

from households.views import card, card_form, cards, evidence, imports, paper, village_cards, why

app_name = "households"
urlpatterns = [
    path("search/", cards.search, name="search"),
    path("households/", cards.index, name="list"),
    path("households/new/", card_form.new, name="new"),
    path("households/<int:household_id>/", card.card, name="card"),
    path("households/<int:household_id>/edit/", card_form.edit, name="edit"),
    path("households/<int:household_id>/reveal/", card.reveal, name="reveal"),
    path("households/<int:household_id>/why/", why.why, name="why"),
    path("households/blank/", paper.blank, name="blank_card"),
    path("households/<int:household_id>/print/", paper.card, name="print_card"),
    path("villages/<int:code>/print/", paper.village, name="print_village"),
    path("printouts/<int:printout_id>/", paper.printout, name="printout"),
    path("printouts/<int:printout_id>/file/", paper.printout_file, name="printout_file"),
    path("households/<int:household_id>/evidence/", evidence.add, name="evidence_add"),
    path("households/<int:household_id>/evidence/<int:evidence_id>/", evidence.page, name="evidence"),
    path("households/<int:household_id>/evidence/<int:evidence_id>/photo.jpg", evidence.photo, name="evidence_photo"),
    path(
        "households/<int:household_id>/evidence/<int:evidence_id>/thumbnail.jpg",
        evidence.thumbnail,
        name="evidence_thumbnail",
    ),
    path("households/<int:household_id>/evidence/<int:evidence_id>/remove/", evidence.remove, name="evidence_remove"),
    path(
        "households/<int:household_id>/evidence/<int:evidence_id>/restore/", evidence.restore, name="evidence_restore"
    ),
    path("imports/", imports.index, name="imports"),
    path("imports/new/", imports.new, name="import"),
    path("imports/template/", imports.template, name="import_template"),
    path("imports/<int:batch_id>/", imports.page, name="import_page"),
    path("imports/<int:batch_id>/accept/", imports.accept, name="import_accept"),
    path("imports/<int:batch_id>/returned/", imports.returned, name="import_returned"),
    path("villages/<int:code>/card/", village_cards.show, name="village_card"),
    path("villages/<int:code>/card/edit/", village_cards.edit, name="village_card_edit"),
]
