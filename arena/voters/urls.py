from django.urls import path

from arena.voters import views

app_name = "voters"
urlpatterns = [path("privacy/", views.privacy, name="privacy")]
