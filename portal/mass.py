"""Mass order: paste or upload a list, look at each line's verdict and the total, place it once, follow it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from catalog.sentences import Kept, number, said, say
from ledger.balances import balance_of
from orders.mass import NotPlaced, go_on, good, place_next, preview, start, total
from orders.mass_reading import Unreadable, decode
from orders.models import MassOrder
from portal.csv_stream import Cell, csv_response
from portal.customers import CustomerRequest, customer_page
from portal.paging import asked_id

UNPROCESSABLE = 422
LATEST = 5


@require_http_methods(["GET", "HEAD", "POST"])
@customer_page
def mass_order(request: CustomerRequest) -> HttpResponse:
    """The empty form, or the list typed before; posting leads to its preview."""
    if request.method == "POST":
        return _look(request)
    earlier = asked_id(request.GET, "from")
    return _form(request, "" if earlier is None else _own(request, earlier).text)


@require_safe
@customer_page
def mass_preview(request: CustomerRequest, mass_id: int) -> HttpResponse:
    return _page(request, _own(request, mass_id))


@require_safe
@customer_page
def mass_live(request: CustomerRequest, mass_id: int) -> HttpResponse:
    """How far it is; when it has ended the whole page comes again."""
    mass = _own(request, mass_id, without=("text", "results"))
    response = render(request, "portal/mass/progress.html", _progress(mass))
    if mass.state != MassOrder.State.PLACING:
        response["HX-Refresh"] = "true"
    return response


@require_POST
@customer_page
def mass_place(request: CustomerRequest, mass_id: int) -> HttpResponse:
    """Places it once; a list of one chunk at once, a longer one begins here and goes on in the background."""
    mass = _own(request, mass_id)
    version = request.POST.get("version", "")
    try:
        if mass.state == MassOrder.State.STOPPED and "go_on" in request.POST:
            go_on(mass)
        else:
            seen = int(version) if version.isascii() and version.isdigit() and len(version) < 9 else -1
            start(mass=mass, version=seen, whole=request.POST.get("which") == "all")
    except NotPlaced as why:
        messages.error(request, str(why))
        return redirect("portal:mass_preview", mass_id=mass.pk)
    if len(mass.lines) <= settings.MASS_CHUNK_LINES:
        place_next(mass.pk)
    return redirect("portal:mass_preview", mass_id=mass.pk)


@require_safe
@customer_page
def mass_errors(request: CustomerRequest, mass_id: int) -> HttpResponseBase:
    """The lines that were not or cannot be ordered, as a file."""
    mass = _own(request, mass_id)

    def rows() -> Iterator[list[Cell]]:
        for entry in (_with_result(mass, entry) for entry in _wrong(mass)):
            yield [entry["number"], entry["text"], entry["field"], entry["problem"]]

    return csv_response(f"mass-order-{mass.pk}-errors", [_("Line"), _("Text"), _("Field"), _("What is wrong")], rows())


def _look(request: CustomerRequest) -> HttpResponse:
    text = request.POST.get("list", "")
    file = request.FILES.get("file")
    try:
        if (file.size or 0 if file else len(text.encode(errors="replace"))) > settings.MASS_MAX_BYTES:
            most = number(settings.MASS_MAX_BYTES)
            raise Unreadable(say("A list has at most %(most)s bytes. Divide it. Nothing was charged.", most=most))
        if file is not None:
            text = decode(file.read())
        mass = preview(customer=request.customer, text=text.replace("\0", ""))
    except Unreadable as why:
        return _form(request, text, str(why))
    return redirect("portal:mass_preview", mass_id=mass.pk)


def _form(request: CustomerRequest, text: str, error: str = "") -> HttpResponse:
    own = MassOrder.objects.filter(customer=request.customer).exclude(state=MassOrder.State.PREVIEW)
    latest = own.defer("text", "lines", "results").order_by("-id")[:LATEST]
    context = {"text": text, "error": error, "latest": latest, "most": settings.MASS_MAX_LINES}
    return render(request, "portal/mass/form.html", context, status=UNPROCESSABLE if error else 200)


def _page(request: CustomerRequest, mass: MassOrder) -> HttpResponse:
    wrong = _wrong(mass)
    only_wrong = "wrong" in request.GET
    lines = wrong if only_wrong else mass.lines
    begin = _begin(request.GET.get("from", ""), len(lines))
    size = settings.MASS_LINES_SHOWN
    price, balance = total(mass), balance_of(request.customer.wallet)
    context = {
        **_progress(mass), "mass": mass, "only_wrong": only_wrong,
        "entries": [_with_result(mass, entry) for entry in lines[begin : begin + size]],
        "all_lines": len(mass.lines), "good_lines": len(good(mass)), "wrong_lines": len(wrong), "total": price,
        "after": balance - price, "missing": price - balance if price > balance else None,
        "earlier": max(begin - size, 0) if begin else None,
        "later": begin + size if begin + size < len(lines) else None, "left": len(mass.lines) - mass.next_line,
        "long": len(mass.lines) > settings.MASS_CHUNK_LINES, "part": settings.MASS_CHUNK_LINES,
    }  # fmt: skip
    return render(request, "portal/mass/list.html", context)


def _progress(mass: MassOrder) -> dict[str, Any]:
    return {"mass": mass, "all_lines": len(mass.lines), "why": said(mass.why) if mass.why else ""}


def _wrong(mass: MassOrder) -> list[dict[str, Any]]:
    """The lines that have no order for a reason, as they are kept: what nobody looks at is not put into words."""
    return [entry for entry in mass.lines if _is_wrong(mass, entry)]


def _is_wrong(mass: MassOrder, entry: dict[str, Any]) -> bool:
    result = mass.results.get(str(entry["number"]))
    if isinstance(result, int):
        return bool(entry["problem"])
    return bool(result or entry["problem"]) or _was_not_reached(mass, entry)


def _was_not_reached(mass: MassOrder, entry: dict[str, Any]) -> bool:
    return mass.state == MassOrder.State.STOPPED and str(entry["number"]) not in mass.results


def _with_result(mass: MassOrder, entry: dict[str, Any]) -> dict[str, Any]:
    """The line with its order, or with why it has none after all, in the words of its reader."""
    result = mass.results.get(str(entry["number"]))
    entry = entry | {"note": _words(entry["note"])}
    if isinstance(result, int):
        return entry | {"order": result, "problem": _words(entry["problem"])}
    if not entry["problem"] and _was_not_reached(mass, entry):
        return entry | {"problem": _("Not placed: the list stopped before this line.")}
    return entry | {"problem": _words(result or entry["problem"])}


def _words(sentences: list[Kept] | str) -> str:
    """Kept sentences in the active language; a text that was kept before is itself."""
    return sentences if isinstance(sentences, str) else " ".join(map(said, sentences))


def _begin(text: str, most: int) -> int:
    return min(int(text), most) if text.isascii() and text.isdigit() and len(text) < 9 else 0


def _own(request: CustomerRequest, mass_id: int, *, without: tuple[str, ...] = ()) -> MassOrder:
    """This customer's list, or 404; `without` the megabytes that a page has no use for."""
    own = MassOrder.objects.filter(customer=request.customer).defer(*without)
    mass = own.filter(pk=mass_id).first() if mass_id < 2**63 else None
    if mass is None:
        raise Http404
    mass.customer = request.customer
    return mass
