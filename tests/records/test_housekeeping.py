"""The jobs that keep the house: books verified, checkpoints cut, old runs gone."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import transaction
from django.utils import timezone
from pytest_django import Settings

from ledger.accounts import house_account, open_wallet
from ledger.models import Account, Transfer
from ledger.posting import Posting, post
from records.jobs import run_job
from records.models import AttentionItem, JobRun

pytestmark = pytest.mark.django_db


def _run(age: timedelta, *, idle: bool, finished: bool = True) -> int:
    began = timezone.now() - age
    run = JobRun.objects.create(job="sync", started_at=began, finished_at=began if finished else None, idle=idle)
    return run.pk


def test_runs_are_kept_by_what_they_tell(settings: Settings) -> None:
    settings.RECORDS_PRUNE_BATCH = 2
    kept = {
        _run(timedelta(hours=23), idle=True),
        _run(timedelta(days=13), idle=False),
        _run(timedelta(days=30), idle=True, finished=False),  # may still be running: not ours to judge
    }
    for hours in range(25, 30):
        _run(timedelta(hours=hours), idle=True)
    for days in range(15, 18):
        _run(timedelta(days=days), idle=False)
    run = run_job("prune_records")
    assert run is not None
    assert run.counts == {"old_runs": 3, "idle_runs": 5}
    assert set(JobRun.objects.exclude(pk=run.pk).values_list("pk", flat=True)) == kept


@pytest.fixture
def wallet() -> Account:
    """A wallet with 10.00 in it, as its transfers say."""
    wallet = open_wallet(currency="USD")
    with transaction.atomic():
        post(
            [
                Posting(
                    debit=house_account(Account.Kind.DEPOSITS, "USD"),
                    credit=wallet,
                    amount=Decimal(10),
                    kind=Transfer.Kind.DEPOSIT,
                    reference="deposit:1",
                )
            ]
        )
    return wallet


@pytest.mark.django_db(transaction=True)
def test_books_that_agree_are_no_news(wallet: Account) -> None:
    run = run_job("verify_books")
    assert run is not None
    assert (run.error, run.counts) == ("", {"transfers": 1, "differences": 0})
    assert not AttentionItem.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_books_that_differ_fail_the_run_and_go_to_the_operator_until_they_agree(wallet: Account) -> None:
    Account.objects.filter(pk=wallet.pk).update(balance=Decimal(11))
    run = run_job("verify_books")
    assert run is not None
    assert run.error.startswith("BooksDiffer: ")
    item = AttentionItem.objects.get()
    assert (item.cause, item.closed_at) == ("books_differ", None)
    assert "11.00" in str(item.evidence["differences"])
    Account.objects.filter(pk=wallet.pk).update(balance=Decimal(10))
    run_job("verify_books")
    item.refresh_from_db()
    assert item.closed_at is not None


@pytest.mark.django_db(transaction=True)
def test_checkpoints_are_cut_once_transfers_are_old_enough(wallet: Account, settings: Settings) -> None:
    assert _checkpoints_cut() == 0
    settings.LEDGER_CHECKPOINT_AGE_MINUTES = -1
    assert _checkpoints_cut() == 1
    assert _checkpoints_cut() == 0


def _checkpoints_cut() -> int:
    run = run_job("cut_checkpoints")
    assert run is not None
    assert run.error == ""
    return int(run.counts["checkpoints"])
