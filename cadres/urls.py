from django.urls import path

from cadres.views import cadre, need, plan

app_name = "cadres"
urlpatterns = [
    path("", cadre.index, name="list"),
    path("<int:cadre_id>/", cadre.page, name="page"),
    path("import/", cadre.workbook, name="import"),
    path("needs/", need.index, name="needs"),
    path("needs/recompute/", need.recompute, name="recompute_needs"),
    path("needs/<int:village>/", need.page, name="need"),
    path("needs/<int:village>/correct/", need.correct, name="correct_need"),
    path("needs/<int:village>/withdraw/", need.withdraw, name="withdraw_correction"),
    path("plans/", plan.index, name="plans"),
    path("plans/new/", plan.new, name="new_plan"),
    path("plans/<int:plan_id>/", plan.page, name="plan"),
    path("plans/<int:plan_id>/approve/", plan.approve, name="approve_plan"),
]
