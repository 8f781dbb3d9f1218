"""Whether two links mean the same: compared by a key, never changed for whoever delivers.

The key is a digest of the link without what does not name its target: the scheme, the case of the host, `www.`, a
port that is the usual one, the fragment, a slash at the end, and parameters that only track who shared it.
"""

from __future__ import annotations

import hashlib
from urllib.parse import parse_qsl, urlencode, urlsplit

TRACKING = frozenset(
    {
        "fbclid", "gclid", "dclid", "msclkid", "yclid", "twclid", "ttclid", "li_fat_id", "mc_cid", "mc_eid",
        "igsh", "igshid", "ig_mid", "si", "feature", "ref", "ref_src", "ref_url", "share", "share_id", "sharer",
        "is_from_webapp", "sender_device", "sender_web_id", "web_id", "_r", "_t",
    }
)  # fmt: skip
USUAL_PORTS = {None, 80, 443}


def link_key(link: str) -> str:
    """The same for every spelling of one link or handle; 32 letters and digits."""
    return hashlib.sha256(plain_link(link).encode()).hexdigest()[:32]


def plain_link(link: str) -> str:
    """The link as it is compared; a bare handle without its @ and its case."""
    if "://" not in link:
        return link.removeprefix("@").casefold().rstrip("/")
    try:
        parts = urlsplit(link)
        port = parts.port
    except ValueError:
        return link
    host = (parts.hostname or "").removeprefix("www.").rstrip(".")
    at_port = "" if port in USUAL_PORTS else f":{port}"
    kept = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if not _tracks(name)]
    query = f"?{urlencode(sorted(kept))}" if kept else ""
    return f"{host}{at_port}{parts.path.rstrip('/')}{query}"


def _tracks(name: str) -> bool:
    return name.casefold() in TRACKING or name.casefold().startswith("utm_")
