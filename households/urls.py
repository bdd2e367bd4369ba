"""Addresses of the people who are helped."""

from django.urls import path

from households.views import card, card_form, cards, duplicates, events, imports, village_cards, why

app_name = "households"
urlpatterns = [
    path("search/", cards.search, name="search"),
    path("households/", cards.index, name="list"),
    path("households/new/", card_form.new, name="new"),
    path("households/<int:household_id>/", card.card, name="card"),
    path("households/<int:household_id>/edit/", card_form.edit, name="edit"),
    path("households/<int:household_id>/reveal/", card.reveal, name="reveal"),
    path("households/<int:household_id>/why/", why.why, name="why"),
    path("households/<int:household_id>/events/<slug:kind>/", events.event, name="event"),
    path("households/<int:household_id>/events/<int:event_id>/undo/", events.undo, name="event_undo"),
    path("households/<int:household_id>/former/", events.former, name="former"),
    path("moves/", events.move_list, name="moves"),
    path("moves/<int:request_id>/", events.move_page, name="move"),
    path("moves/<int:request_id>/decide/", events.move_decide, name="move_decide"),
    path("duplicates/", duplicates.desk, name="duplicates"),
    path("duplicates/find/", duplicates.find, name="duplicates_find"),
    path("duplicates/<int:case_id>/", duplicates.case, name="duplicate"),
    path("duplicates/<int:case_id>/reveal/", duplicates.reveal, name="duplicate_reveal"),
    path("duplicates/<int:case_id>/decide/", duplicates.decide, name="duplicate_decide"),
    path("duplicates/<int:case_id>/undo/", duplicates.undo, name="duplicate_undo"),
    path("imports/", imports.index, name="imports"),
    path("imports/new/", imports.new, name="import"),
    path("imports/template/", imports.template, name="import_template"),
    path("imports/<int:batch_id>/", imports.page, name="import_page"),
    path("imports/<int:batch_id>/accept/", imports.accept, name="import_accept"),
    path("imports/<int:batch_id>/returned/", imports.returned, name="import_returned"),
    path("villages/<int:code>/card/", village_cards.show, name="village_card"),
    path("villages/<int:code>/card/edit/", village_cards.edit, name="village_card_edit"),
]
