"""The project's own sources as the house tests see them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ENGINE = ROOT / "engine"
IMPURE_ROOMS = ("runtime", "console", "cli")


@dataclass(frozen=True)
class Module:
    """One file: `path` relative to the repository, `room` "" on the ground floor."""

    path: str
    room: str
    name: str
    text: str
    tree: ast.Module

    @property
    def pure(self) -> bool:
        """Bound by law 1: no I/O, no clock."""
        return self.room not in IMPURE_ROOMS and self.name != "__main__"


def parse(text: str, path: str = "engine/sip/example.py") -> Module:
    """A module from text; tests give broken ones to the checks."""
    parts = Path(path).parts
    room = parts[1] if parts[0] == "engine" and len(parts) > 2 else ""
    return Module(path, room, Path(path).stem, text, ast.parse(text))


@lru_cache(maxsize=1)
def engine_modules() -> tuple[Module, ...]:
    """Every module below engine/, in a stable order."""
    paths = sorted(path for path in ENGINE.rglob("*.py"))
    return tuple(parse(path.read_text("utf-8"), str(path.relative_to(ROOT))) for path in paths)


def tracked(*patterns: str) -> list[Path]:
    """Files of the repository by pattern, without what tools leave behind."""
    skip = {".venv", ".git", "build", "dist", "__pycache__", ".data", ".mypy_cache", ".ruff_cache", ".hypothesis"}
    found = (path for pattern in patterns for path in ROOT.glob(pattern))
    return sorted(path for path in found if path.is_file() and not skip & set(path.relative_to(ROOT).parts))


def imports(module: Module) -> Iterator[tuple[int, str]]:
    """(line, dotted name) of everything imported; `from a import b` gives a.b."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                yield node.lineno, f"{node.module}.{alias.name}"


def functions(module: Module) -> Iterator[tuple[str, int, int]]:
    """(qualified name, first line, lines) of every function and method, decorators not counted."""

    def walk(node: ast.AST, prefix: str) -> Iterator[tuple[str, int, int]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                yield prefix + child.name, child.lineno, (child.end_lineno or child.lineno) - child.lineno + 1
                yield from walk(child, f"{prefix}{child.name}.")
            elif isinstance(child, ast.ClassDef):
                yield from walk(child, f"{prefix}{child.name}.")
            else:
                yield from walk(child, prefix)

    return walk(module.tree, "")
