"""Whether two links mean the same: compared by a key, never changed for whoever delivers.

The key is a digest of one plain spelling, without what does not name the link's target: the scheme, the case of the
host, `www.`, a port that is the usual one, an anchor in the page, a slash at the end, how a character is written, the
order of the parameters, and those that only track who shared it. The case of a path stays: it names the target on most
sites. Whether two addresses lead to one account (m.example.com, a short link, a bare handle and its page) is not known
without asking a network, and no link is ever fetched.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from contextlib import suppress
from urllib.parse import SplitResult, quote, urlsplit

TRACKING = frozenset(
    {
        "fbclid", "gclid", "gbraid", "wbraid", "dclid", "msclkid", "yclid", "twclid", "ttclid", "srsltid", "li_fat_id",
        "mc_cid", "mc_eid", "igsh", "igshid", "ig_mid", "ig_rid", "mibextid", "rdid", "sfnsn", "xmt", "si", "feature",
        "ref", "ref_src", "ref_url", "share", "share_id", "sharer", "is_from_webapp", "sender_device", "sender_web_id",
        "web_id", "_r", "_t", "_ga", "_gl", "__tn__",
    }
)  # fmt: skip
TRACKING_BEGINS = ("utm_", "__cft__")
TRACKING_OF_HOST = {  # letters that mean something else elsewhere: a topic in a forum, a post in a blog
    "x.com": {"s", "t"}, "twitter.com": {"s", "t"}, "youtube.com": {"t", "pp", "ab_channel"}, "youtu.be": {"t"},
    "instagram.com": {"hl", "img_index"}, "tiktok.com": {"lang", "q", "t"}, "t.me": {"single"},
}  # fmt: skip
USUAL_PORTS = {None, 80, 443}
ROUTES = ("%21", "/", "%40", "-")  # a fragment that begins so is a page of an application: #!/name, #/name, #@name

_ADDRESS = re.compile(r"(?:https?:)?//", re.IGNORECASE)
_ESCAPE = re.compile(r"(%(?:[0-9a-fA-F]{2})?)")
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")  # RFC 3986, 2.3


def link_key(link: str) -> str:
    """The same for every spelling of one link or handle; 32 letters and digits."""
    return hashlib.sha256(plain_link(link).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def plain_link(link: str) -> str:
    """The one spelling by which a link is compared; a bare handle without its @ and its case. Never raises."""
    bare = link.lstrip("@")
    address = _ADDRESS.match(bare)
    if address is None:
        return bare.casefold().rstrip("/")
    try:
        return _plain_address(urlsplit("//" + bare[address.end() :]))
    except ValueError:  # no port, no address: what nobody can read is the same only as itself
        return bare


def _plain_address(parts: SplitResult) -> str:
    host = _plain_host(parts.hostname or "")
    port = "" if parts.port in USUAL_PORTS else f":{parts.port}"
    at = f"[{host}]" if ":" in host else host
    path = _spelled(parts.path, "/").rstrip("/")
    query = "&".join(sorted(_naming(parts.query.split("&"), host)))
    fragment = _spelled(parts.fragment, "/").rstrip("/")
    if not fragment.startswith(ROUTES):  # a place in the page
        fragment = ""
    return f"//{at}{port}{path}{query and '?'}{query}{fragment and '#'}{fragment}"


def _plain_host(host: str) -> str:
    """As it is asked for in the DNS: without dot at the end and `www.`, other alphabets in their ASCII form."""
    host = host.rstrip(".")
    with suppress(UnicodeError):  # no name of the DNS is compared as it is written
        host = host.encode("idna").decode("ascii")
    host = host.casefold().rstrip(".")
    while host.startswith("www.") and "." in host[4:]:
        host = host[4:]
    return host


def _naming(parameters: Iterable[str], host: str) -> Iterable[str]:
    """The parameters that say what the link leads to, in one spelling."""
    others = TRACKING_OF_HOST.get(host, set())
    for parameter in parameters:
        name, _, value = (_spelled(part.replace("+", " ")) for part in parameter.partition("="))
        tracks = name.casefold() in TRACKING or name.casefold().startswith(TRACKING_BEGINS)
        if name and not tracks and name not in others:
            yield f"{name}={value}" if value else name


def _spelled(text: str, kept: str = "") -> str:
    """Each character in one way: what needs no escape has none, everything else (but `kept`) has one in capitals."""
    return "".join(
        _triplet(part) if part.startswith("%") else quote(part, safe=kept, errors="surrogatepass")
        for part in _ESCAPE.split(text)
    )


def _triplet(escape: str) -> str:
    if len(escape) == 1:
        return "%25"  # a percent sign that escapes nothing
    byte = int(escape[1:], 16)
    return chr(byte) if byte in _UNRESERVED else escape.upper()
