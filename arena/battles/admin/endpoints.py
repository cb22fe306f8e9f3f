"""How endpoints did in battles of late."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.http import HttpRequest

from arena.battles.health import HOURS, Health, Seconds, healths
from arena.catalog.admin import CircuitAdmin
from arena.catalog.models import Circuit
from arena.core.admin import percent

FIGURES = ("answers", "first_token", "whole", "errors", "refused")


class WithHealth(ChangeList):
    """Puts the figures of all endpoints beside their rows, out of one query."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list, found = list(self.result_list), healths()
        for circuit in self.result_list:
            circuit.health = found.get(circuit.revision_id)


admin.site.unregister(Circuit)


@admin.register(Circuit)
class CircuitHealthAdmin(CircuitAdmin):
    """How endpoints answered of late, beside what their breaker says."""

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        of_late = (f"What battles of the last {HOURS} h said", {"fields": FIGURES})
        return (*super().get_fieldsets(request, obj), of_late)

    def get_list_display(self, request: HttpRequest) -> Any:
        """The figures first: what breaker and checks say is long."""
        first, shown = ("revision", "state"), super().get_list_display(request)
        return (*first, *FIGURES, *(name for name in shown if name not in first))

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return WithHealth

    def get_object(self, *args: Any) -> Any:
        circuit = super().get_object(*args)
        if circuit is not None:
            circuit.health = healths().get(circuit.revision_id)
        return circuit

    @admin.display(description=f"answers in {HOURS} h")
    def answers(self, circuit: Any) -> str:
        return of_health(circuit, lambda health: f"{health.answers:,}")

    @admin.display(description="first token")
    def first_token(self, circuit: Any) -> str:
        return of_health(circuit, lambda health: spread(health.first_token))

    @admin.display(description="whole answer")
    def whole(self, circuit: Any) -> str:
        return of_health(circuit, lambda health: spread(health.duration))

    @admin.display(description="errors")
    def errors(self, circuit: Any) -> str:
        return of_health(circuit, errors_said)

    @admin.display(description="refused")
    def refused(self, circuit: Any) -> str:
        return of_health(circuit, lambda health: percent(health.refusal_rate))


def of_health(circuit: Any, say: Callable[[Health], str]) -> str:
    health: Health | None = circuit.health
    return say(health) if health else ""


def spread(found: Seconds | None) -> str:
    return f"{found.median:.2f} s, p95 {found.p95:.2f} s" if found else ""


def errors_said(health: Health) -> str:
    kinds = ", ".join(f"{kind} {count:,}" for kind, count in health.errors.items())
    return f"{percent(health.error_rate)}: {kinds}" if kinds else percent(0.0)
