from django.apps import AppConfig


class CallbacksConfig(AppConfig):
    name = "callbacks"

    def ready(self) -> None:
        from callbacks.jobs import register_jobs

        register_jobs()
