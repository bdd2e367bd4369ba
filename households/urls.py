"""Addresses of the people who are helped."""

from django.urls import path

from households.views import card, card_form, cards, imports, village_cards, why

app_name = "households"
urlpatterns = [
    path("search/", cards.search, name="search"),
    path("households/", cards.index, name="list"),
    path("households/new/", card_form.new, name="new"),
    path("households/<int:household_id>/", card.card, name="card"),
    path("households/<int:household_id>/edit/", card_form.edit, name="edit"),
    path("households/<int:household_id>/reveal/", card.reveal, name="reveal"),
    path("households/<int:household_id>/why/", why.why, name="why"),
    path("imports/", imports.index, name="imports"),
    path("imports/new/", imports.new, name="import"),
    path("imports/template/", imports.template, name="import_template"),
    path("imports/<int:batch_id>/", imports.page, name="import_page"),
    path("imports/<int:batch_id>/find/", imports.find, name="import_find"),
    path("imports/<int:batch_id>/rows/<int:row_id>/", imports.row, name="import_row"),
    path("imports/<int:batch_id>/choose/", imports.choose, name="import_choose"),
    path("imports/<int:batch_id>/resume/", imports.go_on, name="import_resume"),
    path("imports/<int:batch_id>/undo/", imports.take_back, name="import_undo"),
    path("imports/<int:batch_id>/accept/", imports.accept, name="import_accept"),
    path("imports/<int:batch_id>/returned/", imports.returned, name="import_returned"),
    path("villages/<int:code>/card/", village_cards.show, name="village_card"),
    path("villages/<int:code>/card/edit/", village_cards.edit, name="village_card_edit"),
]
