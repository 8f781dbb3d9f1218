"""A problem with an order: said by its customer, answered by staff, on a page of its own beside the order's."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from conversations.models import Message, Thread
from conversations.talking import CannotWrite, mark_read, open_thread, write
from orders.models import Order
from portal.customers import CustomerRequest, customer_page
from portal.orders import SECTION, owned
from records.audit import actor_of

UNPROCESSABLE = 422
SHOWN = 200  # messages of a thread, the newest


@require_http_methods(["GET", "HEAD", "POST"])
@customer_page
def problem(request: CustomerRequest, order_id: int) -> HttpResponse:
    """The newest thread of the order, or the form that opens one."""
    order = owned(request, order_id)
    thread = Thread.objects.filter(order=order, customer=request.customer).order_by("-pk").first()
    if request.method != "POST":
        return _page(request, order, thread)
    text, actor = request.POST.get("text", ""), actor_of(request.customer.user)
    try:
        if thread is not None and thread.is_open:
            write(thread=thread, text=text, actor=actor)
        else:
            open_thread(order=order, topic=request.POST.get("topic", ""), text=text, actor=actor)
    except CannotWrite as cannot:
        return _page(request, order, thread, error=str(cannot), text=text, topic=request.POST.get("topic", ""))
    messages.success(request, _("It is sent. The answer appears here, and you get an e-mail if you want one."))
    return redirect("portal:problem", order_id=order.pk)


def _page(
    request: CustomerRequest, order: Order, thread: Thread | None, *, error: str = "", text: str = "", topic: str = ""
) -> HttpResponse:
    said: list[Message] = []
    if thread is not None:
        if request.method == "GET":
            mark_read(thread)  # before its messages are read: an answer that comes in between is shown, or still unread
            if thread.unread:  # it was: the frame of this very page knows it is read
                still = Thread.objects.filter(customer=request.customer, unread=True).exists()
                request.customer.answers_wait = still  # type: ignore[attr-defined]
        said = list(thread.messages.order_by("-id")[:SHOWN])[::-1]
    context = {
        "order": order,
        "thread": thread,
        "said": said,
        "topics": Thread.Topic.choices,
        "error": error,
        "text": text,
        "topic": topic,
        "section": SECTION,
    }
    return render(request, "portal/problem.html", context, status=UNPROCESSABLE if error else 200)
