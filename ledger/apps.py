from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_migrate


class LedgerConfig(AppConfig):
    name = "ledger"

    def ready(self) -> None:
        from ledger.guards import install_after_migrate, step_aside_for_rebuild

        pre_migrate.connect(step_aside_for_rebuild, sender=self, dispatch_uid="ledger_guards_step_aside")
        post_migrate.connect(install_after_migrate, sender=self, dispatch_uid="ledger_guards_install")
