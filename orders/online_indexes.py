"""The ledger's, under the name that migrations of the orders' table know it by."""

from ledger.online_indexes import AddIndexOnline

__all__ = ["AddIndexOnline"]
