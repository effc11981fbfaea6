"""Laws 7 and 8 and the shape of the house: sizes, names, mirrored tests, limits with units, packages."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator

import pytest

from tests.house.exceptions import LONG_FILES, LONG_FUNCTIONS, TESTED_ELSEWHERE, WORDS
from tests.house.source import ENGINE, ROOT, Module, engine_modules, functions, parse, tracked

FILE_LINES_MAX = 600
FUNCTION_LINES_MAX = 70
FOREIGN_WORDS = {
    "channel": "leg", "channels": "legs (of a sound: sides)", "member": "agent", "members": "agents",
    "chat": "call", "peer": "trunk, phone or far end", "peers": "trunks or phones", "utils": "what it does",
    "helper": "what it does", "helpers": "what they do", "manager": "what it does",
}  # fmt: skip
MODULES = engine_modules()


# --- sizes ----------------------------------------------------------------------------------------------
def long_files(modules: tuple[Module, ...]) -> dict[str, int]:
    sizes = {module.path: module.text.count("\n") for module in modules}
    return {path: lines for path, lines in sizes.items() if lines > FILE_LINES_MAX}


def long_functions(modules: tuple[Module, ...]) -> dict[str, int]:
    return {
        f"{module.path}:{name}": lines
        for module in modules
        for name, _, lines in functions(module)
        if lines > FUNCTION_LINES_MAX
    }


def ratchet(found: dict[str, int], allowed: dict[str, tuple[int, str]]) -> list[str]:
    """Offences that are new, have grown, or no longer exist in the list."""
    wrong = [f"{name}: {lines} lines" for name, lines in found.items() if lines > allowed.get(name, (0, ""))[0]]
    wrong += [f"{name}: within the law now, take it off the list" for name in allowed if name not in found]
    return wrong


def test_files_are_small() -> None:
    assert not ratchet(long_files(MODULES), LONG_FILES)


def test_functions_are_small() -> None:
    assert not ratchet(long_functions(MODULES), LONG_FUNCTIONS)


def test_the_ratchet_turns_one_way() -> None:
    long = parse("def f():\n" + "    x = 1\n" * 80 + "y = 1\n" * 600, "engine/sip/long.py")
    assert long_files((long,)) == {"engine/sip/long.py": 681}
    assert long_functions((long,)) == {"engine/sip/long.py:f": 81}
    assert ratchet({"a": 700}, {})
    assert ratchet({"a": 700}, {"a": (650, "why")})
    assert ratchet({}, {"a": (650, "why")})
    assert not ratchet({"a": 640}, {"a": (650, "why")})


# --- names ----------------------------------------------------------------------------------------------
def defined_names(module: Module) -> Iterator[tuple[int, str]]:
    """(line, identifier) of everything this module itself names; what it merely uses of others doesn't count."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.lineno, node.name
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg
        elif isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id if isinstance(node, ast.Name) else node.attr


def foreign_words(module: Module) -> set[str]:
    """file:identifier for names that use a word of another house."""
    found = {(module.path, part) for part in module.path.removesuffix(".py").split("/")}
    names = {name for _, name in defined_names(module)} | {part for _, part in found}
    return {f"{module.path}:{name}" for name in names if set(name.strip("_").lower().split("_")) & FOREIGN_WORDS.keys()}


def test_words_are_ours() -> None:
    found = sorted(name for module in MODULES for name in foreign_words(module) if name not in WORDS)
    assert not found, f"{found}; our words: {FOREIGN_WORDS}"


def test_word_exceptions_are_still_needed() -> None:
    found = {name for module in MODULES for name in foreign_words(module)}
    assert not WORDS.keys() - found


def test_the_check_sees_foreign_words() -> None:
    assert foreign_words(parse("def f(peer): pass\n"))
    assert foreign_words(parse("class A:\n    def g(self):\n        self.chat_id = 1\n"))
    assert foreign_words(parse("x = 1\n", "engine/sip/utils.py"))
    assert not foreign_words(parse("def f(leg):\n    return leg.setnchannels(1)\n"))


# --- tests mirror modules ---------------------------------------------------------------------------------
def has_behaviour(module: Module) -> bool:
    """Struct definitions alone need no test of their own."""
    return any(True for _ in functions(module))


def untested(modules: tuple[Module, ...]) -> list[str]:
    missing = []
    for module in modules:
        if module.name.startswith("__") or not has_behaviour(module):
            continue
        inner = module.path.split("/")[1:-1]
        places = [ROOT.joinpath("tests", *inner[:depth], f"test_{module.name}.py") for depth in range(len(inner) + 1)]
        if module.room == "":  # the ground floor is tested beside the house tests or in the room that lives on it
            places += (ROOT / "tests").glob(f"*/test_{module.name}.py")
        if not any(place.exists() for place in places):
            missing.append(module.path)
    return missing


def test_every_module_has_its_test() -> None:
    assert not [path for path in untested(MODULES) if path not in TESTED_ELSEWHERE]


def test_elsewhere_exists_and_is_needed() -> None:
    missing = untested(MODULES)
    for path, reason in TESTED_ELSEWHERE.items():
        assert path in missing, f"{path} has its test now"
        named = [word.strip(".,;:()") for word in reason.split() if word.startswith("tests/")]
        assert named and all((ROOT / name).exists() for name in named), f"{path}: name an existing test file"


def test_the_check_sees_a_module_without_test() -> None:
    assert untested((parse("def f(): pass\n", "engine/sip/no_such_module.py"),))
    assert not untested((parse("X = 1\n", "engine/sip/no_such_module.py"),))


# --- limits -----------------------------------------------------------------------------------------------
UNITS = frozenset("ms s bytes hz percent per port".split())
EDGES = frozenset("min max default first last".split())


def unitless(text: str) -> list[str]:
    """Names of limits that say neither a unit nor what is counted (a plural)."""
    names = [name for _, name in defined_names(parse(text))]
    return [
        name
        for name in names
        if not any(word in UNITS or (word.endswith("s") and word not in EDGES) for word in name.lower().split("_"))
    ]


def test_limits_say_their_unit() -> None:
    assert not unitless((ENGINE / "limits.py").read_text("utf-8"))


def test_limits_are_whole_numbers() -> None:
    from engine import limits

    values = {name: value for name, value in vars(limits).items() if not name.startswith("_") and name != "annotations"}
    assert values and all(type(value) is int and value > 0 for value in values.values()), values


def test_the_check_sees_a_limit_without_unit() -> None:
    assert unitless("ring_max = 3\n") == ["ring_max"]
    assert not unitless("ring_ms_max = 3\nlegs_max = 4\nrtp_port_first = 5\n")


# --- packages -----------------------------------------------------------------------------------------------
def test_packages_are_listed() -> None:
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]["packages"]
    folders = {".".join(path.parent.relative_to(ROOT).parts) for path in ENGINE.rglob("__init__.py")}
    assert {name for name in listed if ".share." not in name} == folders


def test_every_folder_below_engine_is_a_package() -> None:
    folders = {path.parent for path in ENGINE.rglob("*.py")}
    assert not [str(folder) for folder in folders if not (folder / "__init__.py").exists()]


@pytest.mark.parametrize("name", ["tools/run", "tools/test", "tools/setup", "tools/lock", ".ci/run"])
def test_scripts_have_their_run_bit(name: str) -> None:
    assert (ROOT / name).stat().st_mode & 0o111 == 0o111


def test_no_file_is_called_utils() -> None:
    assert not [path for path in tracked("**/*.py", "**/*.yaml") if path.stem in ("utils", "util", "misc", "common")]
