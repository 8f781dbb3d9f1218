from django.apps import AppConfig
from django.db.models.signals import post_migrate


class CatalogConfig(AppConfig):
    name = "catalog"

    def ready(self) -> None:
        from catalog.jobs import job, pruning
        from catalog.revisions import install_after_migrate
        from records.registry import register

        register(job())
        register(pruning())
        post_migrate.connect(install_after_migrate, sender=self, dispatch_uid="catalog_revisions_install")
