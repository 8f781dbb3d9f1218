from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"
    default = True  # of the two here

    def ready(self) -> None:
        from django.contrib.auth.signals import user_logged_in, user_logged_out

        from accounts.sending import register_jobs
        from accounts.sessions import begin, finish

        register_jobs()
        user_logged_in.connect(begin, dispatch_uid="accounts.session")
        user_logged_out.connect(finish, dispatch_uid="accounts.session")


class AllauthAddresses(AppConfig):
    """allauth's table of addresses, which its second factor imports and nothing here fills: made by its migrations.

    Without a place of its own Django would count it to the package above and make it before the users it refers to.
    Not allauth's own configuration, which asks for the middleware of the pages that are not used.
    """

    name = "allauth.account"
    label = "account"
    default_auto_field = "django.db.models.AutoField"
