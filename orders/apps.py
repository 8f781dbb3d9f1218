from django.apps import AppConfig


class OrdersConfig(AppConfig):
    name = "orders"

    def ready(self) -> None:
        from ledger.verification import register_check
        from orders.books import check_orders, under_way
        from orders.jobs import register_jobs
        from providers.books import explain_drift_by

        register_jobs()
        register_check("orders", check_orders)
        explain_drift_by(under_way)
