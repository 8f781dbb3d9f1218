from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_migrate


class CatalogConfig(AppConfig):
    name = "catalog"

    def ready(self) -> None:
        from catalog import revisions, updates
        from catalog.jobs import job, pruning
        from records.registry import register

        register(job())
        register(pruning())
        post_migrate.connect(revisions.install_after_migrate, sender=self, dispatch_uid="catalog_revisions_install")
        pre_migrate.connect(updates.step_aside_for_rebuild, sender=self, dispatch_uid="catalog_updates_step_aside")
        post_migrate.connect(updates.install_after_migrate, sender=self, dispatch_uid="catalog_updates_install")
