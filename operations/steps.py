"""What an operator can do to a row: a sentence that says what will happen, a form, and the verb that does it.

Every step has a page of its own under the row's: GET explains and asks, POST does it once and comes back. A step
without a form is a button that posts. The verb refuses what no longer fits (operations.refusals), and its refusal is
shown where it was typed. Each names the right that it needs (operations.roles): who has it not sees no button, and gets
neither the question nor the deed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial, wraps
from typing import Any

from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from operations.forms import DeskForm
from operations.refusals import REFUSALS, sentence
from records.audit import Actor, actor_of

Data = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Secret:
    """What a step made that is shown now and never again."""

    sentence: str
    text: str


def _always(row: Any) -> bool:
    return True


def _nothing(row: Any) -> str:
    return ""


def _no_initial(row: Any) -> dict[str, Any]:
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One of them. `do` returns the sentence that tells what was done, or a Secret; `says` is read before.

    `right` is a permission with its room: "operations.deposit".
    """

    name: str
    label: str
    right: str
    do: Callable[[Actor, Any, Data], str | Secret]
    form: type[DeskForm] | None = None
    says: Callable[[Any], str] = _nothing
    fits: Callable[[Any], bool] = _always
    initial: Callable[[Any], dict[str, Any]] = _no_initial
    icon: str = "arrow_forward"
    danger: bool = False
    primary: bool = False


@dataclass(frozen=True, slots=True)
class Button:
    """A step as a row's page offers it."""

    step: Step
    url: str
    says: str

    @property
    def asks(self) -> bool:
        """Whether it leads to a page with a form; a template would call the form's class to see whether it is there."""
        return self.step.form is not None


def needs(right: str, view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """The view for those who have the right; it says which one that is, for whoever goes over all addresses."""

    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.has_perm(right):
            raise PermissionDenied
        return view(request, *args, **kwargs)

    checked.right = right  # type: ignore[attr-defined]
    return checked


class StepPages:
    """For a ModelAdmin: the pages of its `steps`, each for those who see the row and have the step's right."""

    steps: Sequence[Step] = ()
    model: Any
    opts: Any
    admin_site: Any

    def get_urls(self) -> list[URLPattern]:
        own = [
            self.own_page(
                f"<int:object_id>/{step.name}/",
                partial(self.step_page, step=step),
                step.right,
                self.step_url_name(step),
            )
            for step in self.steps
        ]
        return [*own, *super().get_urls()]  # type: ignore[misc]

    def own_page(self, route: str, view: Callable[..., HttpResponse], right: str, name: str) -> URLPattern:
        """An address of this admin's own, with the right that it needs."""
        page: Callable[..., HttpResponse] = self.admin_site.admin_view(needs(right, view))
        return path(route, page, name=name)

    def step_url_name(self, step: Step) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{step.name}"

    def may_take(self, request: HttpRequest, step: Step, row: Any) -> bool:
        """Whether this person may take this step for this row; a class may ask for more."""
        sees: bool = self.has_view_permission(request, row)  # type: ignore[attr-defined]
        return sees and request.user.has_perm(step.right)

    def buttons(self, request: HttpRequest, row: Any) -> list[Button]:
        """The steps that fit the row as it is now, for who may take them."""
        return [
            Button(step, reverse(f"admin:{self.step_url_name(step)}", args=[row.pk]), step.says(row))
            for step in self.steps
            if self.may_take(request, step, row) and step.fits(row)
        ]

    def row_for_step(self, request: HttpRequest, object_id: int) -> Any:
        row = self.get_object(request, unquote(str(object_id)))  # type: ignore[attr-defined]
        if row is None:
            raise Http404(f"There is no {self.opts.verbose_name} {object_id}.")
        return row

    def step_page(self, request: HttpRequest, object_id: int, *, step: Step) -> HttpResponse:
        row = self.row_for_step(request, object_id)
        if not self.may_take(request, step, row):
            raise PermissionDenied
        if step.form is None and request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if request.method != "POST" and not step.fits(row):
            messages.warning(request, f"“{step.label}” does not fit any more. Nothing was changed.")
            return self.back_to(row)
        form = (step.form or DeskForm)(request.POST if request.method == "POST" else None, initial=step.initial(row))
        if request.method == "POST" and form.is_valid():
            try:
                done = step.do(actor_of(request.user), row, form.cleaned_data)
            except REFUSALS as error:
                if step.form is None:
                    messages.error(request, sentence(error))
                    return self.back_to(row)
                form.refuse(error)
            else:
                return self.after_step(request, row, step, done)
        return self._show_step(request, row, step, form)

    def after_step(self, request: HttpRequest, row: Any, step: Step, done: str | Secret) -> HttpResponse:
        if isinstance(done, Secret):
            context = {**self._frame(request, row, step.label), "secret": done}
            return TemplateResponse(request, "operations/secret.html", context)
        messages.success(request, done)
        return self.back_to(row)

    def back_to(self, row: Any) -> HttpResponseRedirect:
        return HttpResponseRedirect(self.page_of(row))

    def page_of(self, row: Any) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[row.pk])

    def _frame(self, request: HttpRequest, row: Any, title: str) -> dict[str, Any]:
        return {
            **self.admin_site.each_context(request),
            "title": title,
            "model_admin": self,
            "back": self.page_of(row),
        }

    def _show_step(self, request: HttpRequest, row: Any, step: Step, form: DeskForm) -> HttpResponse:
        frame = self._frame(request, row, f"{step.label}: {row}")
        context = {**frame, "step": step, "form": form, "says": step.says(row)}
        return TemplateResponse(request, "operations/step.html", context)
