"""One fault put into a module that is loaded already, so that everybody who imported from it has the fault as well.

A function keeps its identity and gets other code; a table is made anew and handed to every module that holds it.
"""

from __future__ import annotations

import sys
from types import CodeType, FunctionType, ModuleType
from typing import Any

from mutants.mutations import Mutant


def insert(mutant: Mutant, module: ModuleType) -> None:
    """Put the fault into the module. An exception means that the fault would have been seen when the module loads."""
    if mutant.of_table:
        _replace_table(mutant, module)
        return
    function = _function(module, mutant.scope)
    function.__code__ = _code_named(mutant.code, mutant.scope)


def _replace_table(mutant: Mutant, module: ModuleType) -> None:
    before = vars(module)[mutant.scope]
    exec(mutant.code, vars(module))  # noqa: S102 - the module's own statement with one change
    after = vars(module)[mutant.scope]
    for other in list(sys.modules.values()):
        for name, value in list(getattr(other, "__dict__", {}).items()):
            if value is before and name == mutant.scope:
                setattr(other, name, after)


def _function(module: ModuleType, scope: str) -> FunctionType:
    found: Any = module
    for name in scope.split("."):
        found = vars(found)[name]
    found = getattr(found, "__func__", found)  # a class method
    found = getattr(found, "__wrapped__", found)
    assert isinstance(found, FunctionType)
    return found


def _code_named(code: CodeType, scope: str) -> CodeType:
    for part in scope.split("."):
        [code] = [inner for inner in code.co_consts if isinstance(inner, CodeType) and inner.co_name == part]
    return code
