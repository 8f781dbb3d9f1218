from django.apps import AppConfig


class ProvidersConfig(AppConfig):
    name = "providers"

    def ready(self) -> None:
        from stamina.instrumentation import LoggingOnRetryHook, set_on_retry_hooks

        from providers.jobs import register_jobs

        register_jobs()
        # By default stamina logs through structlog, which may print to standard output: that belongs to commands.
        set_on_retry_hooks([LoggingOnRetryHook])
