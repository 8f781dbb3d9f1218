"""Regular expressions an operator may use in text rules: checked before they are stored, as one can stop an import.

Python's engine has no time limit and backtracks. What makes it explode is a repetition inside a repetition,
alternatives or something optional inside one, back-references, and many repetitions of no fixed length in a row: those
are refused, and texts are worked on in short pieces, so that the worst of what is left ends soon.
"""

from __future__ import annotations

import re

LONGEST_PIECE = 500  # characters a pattern is applied to at once
MOST_OPEN_REPEATS = 2  # of *, + and {m,n}: a long {m,n} is as bad as a *
MOST_OPTIONALS = 6  # each doubles the ways to match

_ESCAPE = re.compile(r"\\.", re.DOTALL)
_CLASS = re.compile(r"\[\^?\]?[^\]]*\]")
_OPEN_REPEAT = re.compile(r"[*+]|\{\d*,\d*\}")
_REPEAT = re.compile(r"[*+]|\{\d*,?\d*\}")
_GROUP_MARK = re.compile(r"\(\?(?:P?<[\w!=]*>?|[aiLmsux-]*[:)]|[:=!#])")  # "(?:" and its like: no question of its own
_LAZY = re.compile(r"([*+?}])[?+]")
_OPTIONAL = re.compile(r"\?")


class BadPattern(ValueError):
    """The pattern cannot be used; the message says why."""


def check_pattern(find: str, replace: str) -> None:
    """Raises BadPattern for what does not compile or might run for ever."""
    try:
        re.compile(find).sub(replace, "")
    except (re.error, IndexError, OverflowError, RecursionError) as error:
        raise BadPattern(f"This is not a valid pattern: {error}.") from error
    if re.search(r"\\[1-9]|\(\?P=", find):
        raise BadPattern("Back-references are not allowed in a pattern.")
    bare = _CLASS.sub("x", _ESCAPE.sub("x", find))
    bare = _LAZY.sub(r"\1", _GROUP_MARK.sub("(", bare))
    if len(_OPEN_REPEAT.findall(bare)) > MOST_OPEN_REPEATS:
        raise BadPattern(f"A pattern may have at most {MOST_OPEN_REPEATS} of *, + and {{m,n}}.")
    if len(_OPTIONAL.findall(bare)) > MOST_OPTIONALS:
        raise BadPattern(f"A pattern may have at most {MOST_OPTIONALS} of ?.")
    if _repeats_a_repeat(bare):
        raise BadPattern("A repeated group may not hold a repetition, alternatives or ?.")


def matches(pattern: str, text: str) -> bool:
    """Whether the pattern, which was checked when it was stored, is found in the text's beginning."""
    return re.search(pattern, text[:LONGEST_PIECE]) is not None


def _repeats_a_repeat(bare: str) -> bool:
    open_groups = [False]  # whether each holds something that multiplies the ways to match
    for position, character in enumerate(bare):
        if character == "(":
            open_groups.append(False)
        elif character == ")" and len(open_groups) > 1:
            multiplies = open_groups.pop()
            repeated = _REPEAT.match(bare, position + 1) is not None
            if repeated and multiplies:
                return True
            open_groups[-1] = open_groups[-1] or multiplies or repeated
        elif character in "|?" or _REPEAT.match(bare, position):
            open_groups[-1] = True
    return False
