"""Taking in a provider's catalogue: first a plan that writes nothing, then the plan applied.

`plan_import` compares what is listed with the last snapshot and with the services made from it. `apply_import` makes
the same comparison again under a lock, and writes it: what an operator changed in between is respected.
"""

from catalog.importing.applying import ImportResult, apply_import
from catalog.importing.comparing import plan_import
from catalog.importing.plan import Change, FieldChange, ImportPlan, ImportRefused, Movement

__all__ = [
    "Change", "FieldChange", "ImportPlan", "ImportRefused", "ImportResult", "Movement", "apply_import", "plan_import",
]  # fmt: skip
