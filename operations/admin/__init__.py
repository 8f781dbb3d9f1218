"""The operator's admin, a module a noun. Django looks here when it starts.

What other packages bring for the admin has no page: groups are made from the table of roles, second factors are
switched in the account, and locks end by themselves. Their pages write no audit trail, and a group's would be a way
around the table.
"""

from allauth.account import admin as _addresses
from allauth.account.models import EmailAddress
from allauth.mfa import admin as _factors
from allauth.mfa.models import Authenticator
from axes import admin as _locks
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib import admin
from django.contrib.auth import admin as _groups
from django.contrib.auth.models import Group

from operations.admin import books, callbacks, news, orders, people, pricing, problems, providers, records, services

__all__ = ["books", "callbacks", "news", "orders", "people", "pricing", "problems", "providers", "records", "services"]

BROUGHT = (_addresses, _factors, _groups, _locks)  # imported first: what is not registered yet cannot be taken off
admin.site.unregister([AccessAttempt, AccessFailureLog, AccessLog, Authenticator, EmailAddress, Group])
