from django.apps import AppConfig
from django.db.models.signals import post_migrate


class OperationsConfig(AppConfig):
    name = "operations"

    def ready(self) -> None:
        from operations.roles import after_migrate

        post_migrate.connect(after_migrate, sender=self, dispatch_uid="operations_roles")
