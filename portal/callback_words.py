"""Why a message was not taken, as its owner reads it. Kept is what the delivery said, in English; here it is said anew.

The words are those of `callbacks.delivering` and of the client it sends with; what is not known here stays as it is.
"""

from __future__ import annotations

import re

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as N_

ANSWERED = re.compile(r"it answered (\d{3})(; redirects are not followed)?")
KNOWN = frozenset(
    {
        N_("The address did not answer for too long."),
        N_("its address is private, or needs https"),
        N_("the answer is larger than allowed"),
        N_("its name has no address"),
        N_("its TLS certificate cannot be verified"),
        N_("the TLS connection broke"),
        N_("it did not answer within the deadline"),
        N_("the connection was refused"),
        N_("the connection broke"),
        N_("the answer's compression is broken"),
        N_("its URL is not usable"),
        N_("the answer is not HTTP, or broke off"),
        N_("no connection could be made"),
    }
)


def in_words(why: str) -> str:
    """In the active language."""
    answered = ANSWERED.fullmatch(why)
    if answered is None:
        return _(why) if why in KNOWN else why
    status = {"status": answered[1]}
    if answered[2]:
        return _("it answered %(status)s; redirects are not followed") % status
    return _("it answered %(status)s") % status
