"""The operator's admin, a module a noun. Django looks here when it starts."""

from operations.admin import books, callbacks, news, orders, people, pricing, problems, providers, records, services

__all__ = ["books", "callbacks", "news", "orders", "people", "pricing", "problems", "providers", "records", "services"]
