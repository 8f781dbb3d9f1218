"""`manage.py import_services` and the job, against a provider that really answers."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from catalog.models import MarkupRule, Service
from catalog.offers import services_on_sale
from providers.models import Provider
from providers.sandbox.server import Sandbox
from records.jobs import run_job
from records.models import AttentionItem
from tests.catalog.builders import a_provider, sold

pytestmark = pytest.mark.django_db


def item(number: int, **fields: Any) -> dict[str, Any]:
    return {
        "service": number, "name": f"Views pack {number} R30", "type": "Default", "category": "Views", "rate": "0.90",
        "min": "50", "max": 10000, "desc": "", "refill": True, "cancel": True, "dripfeed": False, **fields,
    }  # fmt: skip


@pytest.fixture
def upstream(settings: Any) -> Iterator[Any]:
    """Starts a provider with this list; a second call moves our provider over to another list."""
    settings.PROVIDER_PRIVATE_HOSTS = ["127.0.0.1"]
    running: list[Sandbox] = []

    def listing(*services: dict[str, Any]) -> Provider:
        sandbox = Sandbox(services=list(services), key="secret").start()
        running.append(sandbox)
        provider = Provider.objects.filter(name="sandbox").first() or a_provider("sandbox")
        provider.url = sandbox.url
        provider.save()
        return provider

    yield listing
    for sandbox in running:
        sandbox.stop()


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("import_services", *arguments, stdout=out)
    return out.getvalue()


def test_import_publish_and_import_again(upstream: Any) -> None:
    upstream(item(1), item(2, type="custom_comments"), item(3, type="Telepathy"))
    out = run("sandbox", "--markup", "25", "--publish")
    assert out.splitlines()[-1] == "Imported from sandbox: 3 new, 0 changed, 0 gone, 0 back, 0 unchanged."
    assert "Views pack 1 R30 | price 1.125, margin 20.0 %" in out
    assert services_on_sale().count() == 2
    again = run("sandbox", "--publish")
    assert again == "Nothing to change from sandbox: 0 new, 0 changed, 0 gone, 0 back, 3 unchanged.\n"
    assert MarkupRule.objects.get().percent == 25  # left out, it stays


def test_new_services_are_hidden_and_a_dry_run_writes_nothing(upstream: Any) -> None:
    provider = upstream(item(1))
    assert "Would import from sandbox: 1 new" in run(str(provider.pk), "--dry-run", "--markup", "50")
    assert not Service.objects.exists()
    assert not MarkupRule.objects.exists()
    run(str(provider.pk))
    assert not services_on_sale().exists()


def test_what_changed_is_told_line_by_line(upstream: Any) -> None:
    upstream(item(1), item(2))
    run("sandbox", "--publish")
    upstream(item(1, rate="2.00"), item(3))
    out = run("sandbox")
    assert "rate: 0.90 → 2.00 | price: 1.08 → 2.40 | OFF SALE: Its cost went from 0.90 to 2.00." in out
    assert "gone    2  Views pack 2 R30 | OFF SALE: The provider does not list it any more." in out
    assert "1 new, 1 changed, 1 gone, 0 back, 0 unchanged." in out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nobody"], "There is no provider “nobody”."),
        (["99999999999999999999"], "There is no provider"),
        (["sandbox", "--markup", "lots"], "--markup must be a percentage such as 25 or 12.5, not “lots”."),
        (["sandbox", "--markup", "NaN"], "--markup must be a percentage"),
        (["sandbox", "--markup", "1.23456789"], "--markup must be a percentage"),
        (["sandbox", "--markup=-101"], "--markup must be between -100 and 100,000."),
    ],
)
def test_wrong_input_is_answered_with_a_sentence(upstream: Any, arguments: list[str], sentence: str) -> None:
    upstream(item(1))
    with pytest.raises(CommandError, match=sentence):
        run(*arguments)
    assert not Service.objects.exists()


def test_a_provider_that_does_not_answer_changes_nothing(upstream: Any) -> None:
    upstream(item(1))
    a_provider("elsewhere")
    Provider.objects.filter(name="elsewhere").update(url=Provider.objects.get(name="sandbox").url + "/nowhere")
    with pytest.raises(CommandError, match="elsewhere did not send its services"):
        run("elsewhere")
    assert not Service.objects.exists()


def job(provider: Provider) -> dict[str, int]:
    done = run_job("sync_catalogue", str(provider.pk))
    assert done is not None
    assert done.error == ""
    return dict(done.counts)


def test_the_job_follows_prices_and_publishes_nothing(upstream: Any) -> None:
    provider = upstream(item(1))
    run("sandbox", "--publish", "--markup", "0")
    upstream(item(1, rate="1.00"), item(2))
    counts = job(provider)
    assert (counts["new"], counts["changed"], counts["repriced"]) == (1, 1, 1)
    assert sold(provider).rate == Decimal(1)
    assert not sold(provider, "2").visible
    assert not any(job(provider).values())


def test_the_job_refuses_a_list_that_lost_too_much_and_tells_the_operator(upstream: Any) -> None:
    provider = upstream(*[item(number) for number in range(1, 41)])
    run("sandbox", "--publish")
    upstream(item(1))
    assert job(provider) == {"refused": 1}
    assert services_on_sale().count() == 40
    refused = AttentionItem.objects.get()
    assert "39 of 40 services are missing" in refused.summary
    upstream(*[item(number) for number in range(1, 41)])
    job(provider)
    refused.refresh_from_db()
    assert refused.closed_at


def test_the_job_leaves_inactive_and_never_imported_providers_alone(upstream: Any) -> None:
    from catalog.jobs import providers_imported

    provider = upstream(item(1))
    assert providers_imported() == []
    run("sandbox")
    assert providers_imported() == [str(provider.pk)]
    Provider.objects.update(active=False)
    assert providers_imported() == []
    assert job(provider) == {}


def test_what_is_warned_of_is_told_before_the_rest(upstream: Any) -> None:
    upstream(*[item(number) for number in range(1, 40)], item(99, name="10k views", type="Package", rate="9000"))
    first = run("sandbox", "--dry-run").splitlines()[0]
    assert "99  10k views" in first
    assert "It looks as if it were priced per 1000: check the provider's setting “package rate unit”." in first
