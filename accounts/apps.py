from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        from django.contrib.auth.signals import user_logged_in, user_logged_out

        from accounts.sending import register_jobs
        from accounts.sessions import begin, finish

        register_jobs()
        user_logged_in.connect(begin, dispatch_uid="accounts.session")
        user_logged_out.connect(finish, dispatch_uid="accounts.session")
