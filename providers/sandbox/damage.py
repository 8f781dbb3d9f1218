"""Answers that went wrong: what a fault makes of an answer. Pure; the sockets are elsewhere."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from providers.sandbox.dialect import Answer
from providers.sandbox.faults import Fault
from providers.sandbox.wire import HTML, Reply

PAGE = "<!DOCTYPE html>\n<html><head><title>Just a moment...</title></head><body><h1>Checking</h1></body></html>\n"
NOTICE = "<br />\n<b>Notice</b>:  Undefined index: runs in <b>/home/panel/api.php</b> on line <b>42</b><br />\n"
MEGABYTE = 1_000_000


def reply_of(answer: Answer) -> Reply:
    return Reply(body=_json(answer))


def reply_before(fault: Fault, path: str) -> Reply:
    """What is answered instead, by a fault that answers without regard to the request."""
    match fault.kind.removesuffix("_after"):
        case "http":
            return Reply(status=int(fault.number(500)), body=PAGE.encode(), content_type=HTML)
        case "html":
            return Reply(body=PAGE.encode(), content_type=HTML)
        case "empty":
            return Reply(body=b"")
        case "redirect":
            place = fault.argument or f"{path.rstrip('/')}/moved"
            return Reply(status=301, body=b"", content_type=HTML, headers={"Location": place})
        case "rate_limit":
            body = _json({"error": "Too many requests"})
            return Reply(status=429, body=body, headers={"Retry-After": f"{fault.number(1):g}"})
        case "answer":
            return Reply(body=fault.argument.encode())
    raise AssertionError(fault.kind)


def damaged(answer: Answer, fault: Fault, earlier: Callable[[str, int], int | None]) -> Reply:
    """The answer to what was done, as the fault leaves it. `earlier` finds an id before a given one."""
    body = _json(answer)
    match fault.kind:
        case "cut_json":
            return Reply(body=body[: len(body) // 2])
        case "notice":
            return Reply(body=NOTICE.encode() + body, content_type=HTML)
        case "bom":
            return Reply(body=b"\xef\xbb\xbf" + body)
        case "huge":
            return Reply(body=b" " * int(fault.number(50) * MEGABYTE) + body)
        case "wrong_types":
            return Reply(body=_json(_wrapped(answer)))
        case "mixed_types":
            return Reply(body=_json(_mixed(answer)))
        case "unknown_word":
            return Reply(body=_json(_worded(answer, fault.argument or "Fail")))
        case "duplicate_id":
            return Reply(body=_json(_repeated(answer, earlier)))
        case "missing_ids":
            return Reply(body=_json(_thinned(answer, int(fault.number(1)))))
    return Reply(body=body)


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def _wrapped(value: Any) -> Any:
    """Every value in a list or an object of its own."""
    if isinstance(value, dict):
        return {name: _wrapped(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_wrapped(part) for part in value]
    return [value] if isinstance(value, str) else {"value": value}


def _mixed(value: Any) -> Any:
    """The same values as other types: what a tolerant reader should still read."""
    if isinstance(value, dict):
        return {name: _mixed(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_mixed(part) for part in value]
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, str) and value.replace(".", "", 1).isdigit():
        return float(value) if "." in value else int(value)
    return str(value) if isinstance(value, int) else value


def _worded(answer: Answer, word: str) -> Answer:
    if isinstance(answer, list):
        return [_worded(item, word) if isinstance(item, dict) else item for item in answer]
    if "order" in answer:
        return {"status": word}
    if "status" in answer:
        return answer | {"status": word}
    return {name: _worded(item, word) if isinstance(item, dict) else item for name, item in answer.items()}


def _repeated(answer: Answer, earlier: Callable[[str, int], int | None]) -> Answer:
    if not isinstance(answer, dict):
        return answer
    for name in ("order", "refill"):
        if name in answer:
            before = earlier(name, int(answer[name]))
            return answer if before is None else answer | {name: type(answer[name])(before)}
    return answer


def _thinned(answer: Answer, number: int) -> Answer:
    if isinstance(answer, list):
        return answer[number:]
    if answer and all(isinstance(item, dict) for item in answer.values()):
        return dict(list(answer.items())[number:])
    return {}
