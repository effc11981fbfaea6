"""Laws 1 and 2: outside runtime/, console/, cli/ nothing does I/O, reads a clock, draws chance or depends on hashes."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from tests.house.exceptions import IMPURE
from tests.house.source import Module, engine_modules, imports, parse

FORBIDDEN_IMPORTS = frozenset(
    "asyncio concurrent fcntl http io logging multiprocessing os pathlib queue random sched secrets select selectors "
    "shutil signal socket socketserver ssl subprocess sys tempfile threading time urllib uuid uvloop aiosqlite "
    "structlog sqlite3".split()
)
HARMLESS_IMPORTS = ("urllib.parse",)
FORBIDDEN_CALLS = frozenset(("open", "print", "input", "hash", "eval", "exec", "globals", "breakpoint"))
FORBIDDEN_METHODS = frozenset(
    ("now", "utcnow", "today", "read_text", "read_bytes", "write_text", "write_bytes", "unlink", "time_ns")
)
ORDER_FREE = frozenset("sorted min max sum len any all set frozenset bool".split())


def impurities(module: Module) -> Iterator[tuple[int, str]]:
    """(line, name) of what a pure room must not import or call."""
    for line, name in imports(module):
        if name.split(".")[0] in FORBIDDEN_IMPORTS and not name.startswith(HARMLESS_IMPORTS):
            yield line, name.split(".")[0]
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Name) and node.func.id in FORBIDDEN_CALLS:
                yield node.lineno, node.func.id
            elif isinstance(node.func, ast.Attribute) and node.func.attr in FORBIDDEN_METHODS:
                yield node.lineno, node.func.attr


def is_set(node: ast.AST | None, names: set[str]) -> bool:
    """True for set literals, set comprehensions, set() and names known to hold sets."""
    if isinstance(node, ast.Set | ast.SetComp):
        return True
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return node.func.id in ("set", "frozenset")
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitAnd | ast.BitOr | ast.Sub):
        return is_set(node.left, names) or is_set(node.right, names)
    if isinstance(node, ast.Attribute):
        return node.attr in names
    return isinstance(node, ast.Name) and node.id in names


def set_names(module: Module) -> set[str]:
    """Names and attributes annotated as sets, or assigned nothing else."""

    def name_of(target: ast.AST) -> str:
        return target.id if isinstance(target, ast.Name) else target.attr if isinstance(target, ast.Attribute) else ""

    names: set[str] = set()
    for node in ast.walk(module.tree):
        if isinstance(node, ast.AnnAssign | ast.arg) and node.annotation is not None:
            annotation = ast.unparse(node.annotation)
            if annotation in ("set", "frozenset") or annotation.startswith(("set[", "frozenset[", "AbstractSet[")):
                names.add(node.arg if isinstance(node, ast.arg) else name_of(node.target))
        elif isinstance(node, ast.Assign) and is_set(node.value, set()):
            names.update(name_of(target) for target in node.targets)
    return names - {""}


def set_iterations(module: Module) -> Iterator[tuple[int, str]]:
    """(line, text) where a set's order would show: loops, comprehensions, list(), tuple(), join(), unpacking, pop()."""
    names = set_names(module)
    harmless = {
        id(argument)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ORDER_FREE
        for argument in node.args
    }
    for node in ast.walk(module.tree):
        suspects: list[ast.AST] = []
        if isinstance(node, ast.For):
            suspects = [node.iter]
        elif isinstance(node, ast.ListComp | ast.GeneratorExp | ast.DictComp) and id(node) not in harmless:
            suspects = [generator.iter for generator in node.generators]
        elif isinstance(node, ast.Starred):
            suspects = [node.value]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            suspects = list(node.args) if node.func.id in ("list", "tuple", "iter", "enumerate") else []
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr == "join":
                suspects = list(node.args)
            elif node.func.attr == "pop" and not node.args:
                suspects = [node.func.value]
        for suspect in suspects:
            if is_set(suspect, names):
                yield node.lineno, ast.unparse(suspect)


PURE = [module for module in engine_modules() if module.pure]


@pytest.mark.parametrize("module", PURE, ids=lambda module: module.path)
def test_pure_rooms_do_no_io(module: Module) -> None:
    allowed, _ = IMPURE.get(module.path, ((), ""))
    found = [f"{module.path}:{line}: {name}" for line, name in impurities(module) if name not in allowed]
    assert not found, found


@pytest.mark.parametrize("module", PURE, ids=lambda module: module.path)
def test_nothing_iterates_over_a_set(module: Module) -> None:
    found = [f"{module.path}:{line}: {text}" for line, text in set_iterations(module)]
    assert not found, found


def test_every_exception_is_still_needed() -> None:
    by_path = {module.path: module for module in PURE}
    for path, (allowed, _) in IMPURE.items():
        used = {name for _, name in impurities(by_path[path])}
        assert used >= set(allowed), f"{path} no longer uses {set(allowed) - used}: shorten the list"


def test_numba_enters_through_jit_alone() -> None:
    importers = {
        module.path
        for module in engine_modules()
        for _, name in imports(module)
        if name.split(".")[0] in ("numba", "llvmlite")
    }
    assert importers <= {"engine/jit.py"}


@pytest.mark.parametrize(
    "text",
    [
        "import time\n",
        "from os import path\n",
        "def f():\n    import random\n",
        "from datetime import datetime\nx = datetime.now()\n",
        "def f(path):\n    return open(path)\n",
        "x = hash('a')\n",
        "def f(p):\n    p.write_text('')\n",
    ],
)
def test_the_check_sees_impurities(text: str) -> None:
    assert list(impurities(parse(text)))


@pytest.mark.parametrize(
    "text",
    [
        "for x in {1, 2}: pass\n",
        "a = set()\nb = [x for x in a]\n",
        "class A:\n    seen: set[int]\n    def f(self):\n        return list(self.seen)\n",
        "def f(s: frozenset[str]):\n    return ','.join(s)\n",
        "s = {1}\nx = s.pop()\n",
        "a = {1}\nfor x in a - b: pass\n",
        "a = {1}\nx = [*a]\n",
    ],
)
def test_the_check_sees_set_order(text: str) -> None:
    assert list(set_iterations(parse(text)))


@pytest.mark.parametrize(
    "text",
    ["a = {1}\nfor x in sorted(a): pass\n", "a = {1}\nb = any(x for x in a)\n", "for x in {1: 2}: pass\n"],
)
def test_the_check_lets_ordered_use_pass(text: str) -> None:
    assert not list(set_iterations(parse(text)))
