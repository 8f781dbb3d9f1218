"""The faults that are tried: every small change of a module's functions and tables that a slip of the hand could make.

Left alone are what people read (docstrings, f-strings, the words of a `raise` or an `assert`), annotations, defaults,
decorators and class fields.
"""

from __future__ import annotations

import ast
import copy
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from types import CodeType

COMPARED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
COUNTED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.FloorDiv: ast.Mult, ast.Div: ast.Mult,
    ast.Mod: ast.Mult, ast.BitOr: ast.BitAnd, ast.BitAnd: ast.BitOr,
}  # fmt: skip
CALLED = {"min": "max", "max": "min", "any": "all", "all": "any"}
LEFT_ALONE = (ast.JoinedStr, ast.Assert, ast.arguments, ast.ClassDef, ast.Import, ast.ImportFrom)
Place = tuple[ast.AST, str, int | None]  # a node's parent, the field it stands in, and where in the field's list


@dataclass(frozen=True, slots=True)
class Mutant:
    """One fault. `scope` is the function's qualified name, or the table's name with `of_table`."""

    name: str
    scope: str
    of_table: bool
    code: CodeType  # of the whole module, or of the table's statement alone


def mutants_of(source: str, path: str) -> list[Mutant]:
    """Every fault of the module at `path`, named by what changes where, not by line: names outlive other edits."""
    tree = ast.parse(source)
    found: list[Mutant] = []
    seen: Counter[str] = Counter()
    for scope, root, place in _scopes(tree):
        for change, site, replacement in _changes(root, place):
            _put(site, replacement)
            mutated = tree if isinstance(root, ast.FunctionDef) else ast.Module([_get(place)], [])
            code = compile(ast.fix_missing_locations(copy.deepcopy(mutated)), path, "exec")
            _put(site, change.node)
            name = f"{path} {scope}: {change.text}"
            seen[name] += 1
            if seen[name] > 1:
                name = f"{name} ({seen[name]})"
            found.append(Mutant(name, scope, not isinstance(root, ast.FunctionDef), code))
    return found


@dataclass(frozen=True, slots=True)
class Change:
    text: str
    node: ast.AST  # what stood there


def _scopes(tree: ast.Module) -> Iterator[tuple[str, ast.AST, Place]]:
    for number, statement in enumerate(tree.body):
        place: Place = (tree, "body", number)
        if isinstance(statement, ast.FunctionDef):
            yield statement.name, statement, place
        elif isinstance(statement, ast.ClassDef):
            for inner, member in enumerate(statement.body):
                if isinstance(member, ast.FunctionDef):
                    yield f"{statement.name}.{member.name}", member, (statement, "body", inner)
        elif isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            yield statement.targets[0].id, statement, place
        elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            yield statement.target.id, statement, place


def _changes(root: ast.AST, place: Place) -> Iterator[tuple[Change, Place, ast.AST | None]]:
    for site, node, spoken in list(_nodes(root, place)):
        within = f" in {_said(site[0])}" if isinstance(node, ast.Constant | ast.comprehension) else ""
        for text, replacement in _replacements(node, spoken):
            if node is not root:
                yield Change(f"{text}{within}", node), site, replacement


def _nodes(node: ast.AST, place: Place, spoken: bool = False) -> Iterator[tuple[Place, ast.AST, bool]]:
    """All nodes that may change; `spoken`: inside a `raise`, where texts are for people."""
    yield place, node, spoken
    spoken = spoken or isinstance(node, ast.Raise)
    for field, value in ast.iter_fields(node):
        if field in ("annotation", "returns", "decorator_list", "ctx"):
            continue
        for number, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if not isinstance(child, ast.AST) or isinstance(child, LEFT_ALONE) or _is_docstring(child):
                continue
            yield from _nodes(child, (node, field, number), spoken)


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _replacements(node: ast.AST, spoken: bool) -> Iterator[tuple[str, ast.AST | None]]:
    for replacement in _of(node, spoken):
        yield _left_out(node, replacement) or f"{_said(node)} → {_said(replacement)}", replacement


def _left_out(node: ast.AST, replacement: ast.AST) -> str:
    """How a call reads that has lost an argument; "" for every other change."""
    if not (isinstance(node, ast.Call) and isinstance(replacement, ast.Call)):
        return ""
    lost = [each.arg for each in node.keywords if each not in replacement.keywords]
    return f"{_short(ast.unparse(node.func))}(…) without {lost[0]}=" if lost else ""


def _said(node: ast.AST) -> str:
    shown = copy.deepcopy(node)
    if isinstance(shown, ast.If):
        shown = ast.If(shown.test, [ast.Expr(ast.Constant(...))], [])
    return _short(ast.unparse(ast.fix_missing_locations(shown)))


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 90 else f"{line[:60]} … {line[-25:]}"


def _of(node: ast.AST, spoken: bool) -> Iterator[ast.AST]:
    match node:
        case ast.Constant():
            if not (spoken and isinstance(node.value, str)):
                yield from _of_constant(node.value)
        case ast.Compare(left=left, ops=ops, comparators=others):
            for number, op in enumerate(ops):
                swapped = [*ops[:number], COMPARED[type(op)](), *ops[number + 1 :]]
                yield ast.Compare(left, swapped, others)
        case ast.BoolOp(op=op, values=values):
            yield ast.BoolOp(ast.Or() if isinstance(op, ast.And) else ast.And(), values)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in COUNTED:
            yield ast.BinOp(left, COUNTED[type(op)](), right)
        case ast.UnaryOp(operand=operand):
            yield operand
        case ast.IfExp(test=test, body=body, orelse=orelse) if not isinstance(test, ast.Compare | ast.UnaryOp):
            yield ast.IfExp(ast.UnaryOp(ast.Not(), test), body, orelse)
        case ast.Call():
            yield from _of_call(node)
        case ast.Slice(lower=lower, upper=upper) if upper is not None and not isinstance(upper, ast.Constant):
            yield ast.Slice(lower, None)
        case ast.comprehension(target=target, iter=source, ifs=[_, *_]):
            yield ast.comprehension(target, source, [], 0)
        case ast.stmt():
            yield from _of_statement(node)
        case ast.ExceptHandler(type=ast.Tuple(elts=kinds), name=name, body=body):
            for number in range(len(kinds)):
                yield ast.ExceptHandler(ast.Tuple([*kinds[:number], *kinds[number + 1 :]], ast.Load()), name, body)


def _of_constant(value: object) -> Iterator[ast.AST]:
    match value:
        case bool():
            yield ast.Constant(not value)
        case int() | float():
            yield ast.Constant(value + 1)
        case str():
            yield ast.Constant(f"XX{value}XX")
        case bytes():
            yield ast.Constant(b"XX" + value + b"XX")


def _of_call(node: ast.Call) -> Iterator[ast.AST]:
    if isinstance(node.func, ast.Name) and node.func.id in CALLED:
        yield ast.Call(ast.Name(CALLED[node.func.id], ast.Load()), node.args, node.keywords)
    for number, keyword in enumerate(node.keywords):
        if keyword.arg is not None:
            yield ast.Call(node.func, node.args, [*node.keywords[:number], *node.keywords[number + 1 :]])


def _of_statement(node: ast.stmt) -> Iterator[ast.AST]:
    match node:
        case ast.Expr() | ast.Raise():
            yield ast.Pass()
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript() | ast.Tuple()]) | ast.AugAssign():
            yield ast.Pass()
        case ast.Return(value=value) if value is not None and not isinstance(value, ast.Constant):
            yield ast.Return(ast.Constant(None))
        case ast.If(test=test, body=body, orelse=orelse):
            if not isinstance(test, ast.Compare | ast.UnaryOp):  # those are turned round themselves
                yield ast.If(ast.UnaryOp(ast.Not(), test), body, orelse)
        case ast.Continue():
            yield ast.Break()
        case ast.Break():
            yield ast.Continue()
    if isinstance(node, ast.AugAssign) and type(node.op) in COUNTED:
        yield ast.AugAssign(node.target, COUNTED[type(node.op)](), node.value)


def _get(place: Place) -> ast.stmt:
    parent, field, number = place
    value = getattr(parent, field)
    found = value if number is None else value[number]
    assert isinstance(found, ast.stmt)
    return found


def _put(place: Place, node: ast.AST | None) -> None:
    parent, field, number = place
    if number is None:
        setattr(parent, field, node)
    else:
        getattr(parent, field)[number] = node
