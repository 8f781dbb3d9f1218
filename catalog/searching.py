"""Names as they are searched: one folded form, stored beside the name.

The database cannot do this for us: SQLite's LIKE and LOWER know ASCII only, and "подписчики" would not find
"Подписчики".
"""

from __future__ import annotations

import unicodedata


def folded(text: str) -> str:
    """Without case, without typographic letter forms (𝐎𝐫𝐠𝐚𝐧𝐢𝐜 is Organic), ё as е, runs of spaces as one."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().replace("ё", "е").split())


LONGEST_QUERY = 200  # characters; a name has at most 500, and nobody types one out
MOST_WORDS = 12  # each is a scan of the names


def words(query: str) -> list[str]:
    """The words that all must be found, in any order; what nobody types (NUL, a thirteenth word) is dropped."""
    return list(dict.fromkeys(folded(query[:LONGEST_QUERY].replace("\0", " ")).split()))[:MOST_WORDS]
