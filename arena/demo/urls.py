from django.urls import path

from arena.demo import views

app_name = "demo"
urlpatterns = [path("planted/", views.planted, name="planted")]
