"""The kernels' cache: no stale code, no place outside the user's own, atomics that work."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pytest

from engine import jit

ENGINE = Path(jit.__file__).parent

CALLEE = '''from engine.jit import kernel
from engine import limits
@kernel
def callee(x):
    return x * {factor} + limits.offset
'''
CALLER = '''from engine.jit import kernel
from engine.room.callee import callee
@kernel
def caller(x):
    return callee(x) + 1
'''
RUN = "from engine.room.caller import caller; print(caller(10))"


def house(tmp_path: Path) -> Path:
    """A tiny engine: the real jit.py, limits, and two kernels in a room."""
    engine = tmp_path / "engine"
    (engine / "room").mkdir(parents=True)
    for folder in (engine, engine / "room"):
        (folder / "__init__.py").write_text("")
    (engine / "jit.py").write_text((ENGINE / "jit.py").read_text("utf-8"), "utf-8")
    (engine / "limits.py").write_text("offset = 0\n")
    (engine / "room" / "callee.py").write_text(CALLEE.format(factor=2))
    (engine / "room" / "caller.py").write_text(CALLER)
    return engine


def run(engine: Path, cache: Path, code: str = RUN, **flags: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(engine.parent), "RINGDOWN_CACHE": str(cache), **flags}
    environment.pop("NUMBA_CACHE_DIR", None)
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False,
                          cwd=engine.parent)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.slow
def test_a_changed_callee_and_a_changed_limit_are_seen(tmp_path: Path) -> None:
    """Numba's own cache would go on with the old callee: it looks at the caller's file only."""
    engine, cache = house(tmp_path), tmp_path / "cache"
    assert run(engine, cache) == "21"
    assert run(engine, cache) == "21"
    (engine / "room" / "callee.py").write_text(CALLEE.format(factor=3))
    assert run(engine, cache) == "31"
    (engine / "limits.py").write_text("offset = 100\n")
    assert run(engine, cache) == "131"
    assert len(list(cache.glob("kernels-*"))) == 3


@pytest.mark.slow
def test_a_second_process_loads_what_the_first_compiled(tmp_path: Path) -> None:
    engine, cache = house(tmp_path), tmp_path / "cache"
    code = RUN + "; print(sum(caller.stats.cache_hits.values()), sum(caller.stats.cache_misses.values()))"
    assert run(engine, cache, code).split() == ["21", "0", "1"]
    assert run(engine, cache, code).split() == ["21", "1", "0"]


@pytest.mark.slow
def test_what_a_kernel_calls_is_its_part_and_still_python_s(tmp_path: Path) -> None:
    """Nothing is made whole that only kernels call; called from Python too, it is made for both, and kept for both."""
    engine, cache = house(tmp_path), tmp_path / "cache"
    code = (
        "from engine.room.caller import caller; from engine.room.callee import callee\n"
        "made = lambda each: (sum(each.stats.cache_hits.values()), sum(each.stats.cache_misses.values()))\n"
        "caller(10); print(made(callee), made(callee.inner()), caller(10))\n"
        "print(callee(10), made(callee), len(callee.inner().overloads))"
    )
    assert run(engine, cache, code) == "(0, 0) (0, 1) 21\n20 (0, 1) 1"
    assert run(engine, cache, code) == "(0, 0) (0, 0) 21\n20 (1, 0) 0"  # the caller holds it
    (engine / "room" / "more.py").write_text(CALLER.replace("caller", "more"))
    assert run(engine, cache, code) == "(0, 0) (0, 1) 21\n20 (0, 1) 1"  # another build: another folder
    more = "from engine.room.more import more; from engine.room.callee import callee\n"
    told = "print(more(10), sum(callee.inner().stats.cache_hits.values()), callee.stats.cache_hits)"
    assert run(engine, cache, more + told) == "21 1 Counter()"


@pytest.mark.slow
def test_a_constant_makes_no_second_part(tmp_path: Path) -> None:
    engine, cache = house(tmp_path), tmp_path / "cache"
    (engine / "room" / "caller.py").write_text(CALLER.replace("callee(x) + 1", "callee(x) + callee(3) + callee(4)"))
    code = "from engine.room.callee import callee; caller(10); print(caller(10), len(callee.inner().overloads))"
    assert run(engine, cache, RUN.partition(";")[0] + "; " + code) == "34 1"


def test_without_the_jit_kernels_are_plain_python(tmp_path: Path) -> None:
    assert run(house(tmp_path), tmp_path / "cache", RUN + "; print(type(caller).__name__)",
               NUMBA_DISABLE_JIT="1").split() == ["21", "function"]


def test_the_hash_follows_imports_and_nothing_else(tmp_path: Path) -> None:
    engine = house(tmp_path)
    (engine / "constants.py").write_text("x = 1\n")
    (engine / "bystander.py").write_text("x = 1\n")
    (engine / "room" / "callee.py").write_text(CALLEE.format(factor=2) + "from engine import (\n    constants,\n)\n")
    names = {str(path.relative_to(engine)) for path in jit.kernel_sources(engine)}
    assert names == {"jit.py", "limits.py", "constants.py", "room/callee.py", "room/caller.py"}
    before = jit.kernel_hash(engine)
    (engine / "bystander.py").write_text("x = 2\n")
    assert jit.kernel_hash(engine) == before
    (engine / "constants.py").write_text("x = 2\n")
    assert jit.kernel_hash(engine) != before


def test_every_kernel_of_the_engine_is_in_the_hash() -> None:
    sources = set(jit.kernel_sources())
    users = {path for path in ENGINE.rglob("*.py") if "@kernel" in path.read_text("utf-8")}
    assert users and users <= sources
    assert ENGINE / "limits.py" in sources and ENGINE / "media" / "columns.py" in sources


def test_flags_that_change_code_change_the_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    before = jit.kernel_hash()
    monkeypatch.setenv("NUMBA_BOUNDSCHECK", "0" if os.environ.get("NUMBA_BOUNDSCHECK") == "1" else "1")
    assert jit.kernel_hash() != before


def test_the_cache_folder_is_the_users_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGDOWN_CACHE", str(tmp_path / "cache"))
    folder = jit.cache_folder()
    assert folder.parent == tmp_path / "cache"
    assert folder.stat().st_mode & 0o777 == 0o700


def test_an_unusable_cache_root_falls_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("RINGDOWN_CACHE", str(tmp_path / "file"))
    monkeypatch.setattr(jit.tempfile, "gettempdir", lambda: str(tmp_path))
    assert jit.cache_folder().parent == tmp_path / f"ringdown-{os.getuid()}"


def test_the_users_cache_follows_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RINGDOWN_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert jit.cache_root() == Path("/somewhere/ringdown")


def test_old_folders_are_pruned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGDOWN_CACHE", str(tmp_path))
    for number in range(6):
        folder = tmp_path / f"kernels-{number}"
        folder.mkdir()
        os.utime(folder, (number, number))
    (tmp_path / "other").mkdir()
    jit.prune(keep=2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kernels-4", "kernels-5", "other"]


@jit.kernel
def exchange(words: np.ndarray, value: int) -> int:
    before = jit.load_acquire(words, 3)
    jit.store_release(words, 3, value)
    return before


def test_atomics_read_and_write_the_word_they_name() -> None:
    words = np.arange(6, dtype=np.int64)
    assert exchange(words, -7) == 3
    assert words.tolist() == [0, 1, 2, -7, 4, 5]


def test_warm_runs_what_was_registered_and_reports(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []
    monkeypatch.setattr(jit, "_warmers", [("one", lambda: ran.append("one")), ("two", lambda: ran.append("two"))])
    monkeypatch.setattr(jit, "prune", lambda: None)
    seen: list[tuple[int, int, str]] = []
    jit.warm(lambda done, total, name: seen.append((done, total, name)))
    assert ran == ["one", "two"]
    assert seen == [(0, 2, "one"), (1, 2, "two"), (2, 2, "")]


@pytest.mark.skipif(jit.DISABLED, reason="nothing to compile")
def test_bytes_widen_to_int64() -> None:
    @jit.kernel
    def shift(octets: np.ndarray) -> int:
        return -(jit.i64(octets[0]) << 40)

    assert shift(np.array([255], np.uint8)) == -(255 << 40)


class Pair(NamedTuple):
    """A state as small kernels pass it on."""

    words: npt.NDArray[np.int64]
    flags: npt.NDArray[np.int8]


@jit.part
def added(pair: Pair, row: int, amount: int) -> int:
    pair.words[row] += amount
    return int(pair.words[row])


@jit.kernel
def twice(pair: Pair) -> int:
    bare = Pair(jit.bare(pair.words), jit.bare(pair.flags))
    return added(bare, 0, 1) + added(bare, 1, 2)


def test_parts_are_compiled_once_for_all_constants_and_bare_arrays_are_the_same_memory() -> None:
    pair = Pair(np.zeros(2, dtype=np.int64), np.zeros(1, dtype=np.int8))
    assert twice(pair) == 3 and pair.words.tolist() == [1, 2]
    assert twice(pair) == 6 and pair.words.tolist() == [2, 4]
    if not jit.DISABLED:
        signatures: Any = added
        assert len(signatures.signatures) <= 1, "none when the caller came from the cache"


def test_numba_sets_itself_up_without_what_no_kernel_needs_and_others_can_import_it_afterwards() -> None:
    script = """
import sys
import numpy as np
from engine import jit
jit.load_lean()
early = [name for name in ("scipy", "scipy.linalg", "cffi", "pycparser") if name in sys.modules]
from engine.speech import levels
state = np.zeros(levels.FIELDS)
levels.begin(state, -40.0)
import cffi, scipy.linalg
print(early, state[levels.SPEECH], cffi.FFI is not None, float(scipy.linalg.norm([3.0, 4.0])))
"""
    environment = {name: each for name, each in os.environ.items() if name != "NUMBA_DISABLE_JIT"}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[] -40.0 True 5.0"


_version = jit.external_of("libcrypto.so.3", "OpenSSL_version_num", "long")
_nowhere = jit.external_of("libnowhere.so.9", "nobody_has_this_function", "long", "long")


@jit.kernel
def asked(there: bool, lost: bool) -> int:
    """Calls what the machine has; what it hasn't got stands in a branch that isn't taken."""
    found = 0
    if there:
        found = _version()
    if lost:
        found = _nowhere(found)
    return found


def test_functions_of_a_library_are_called_and_a_missing_one_is_no_obstacle() -> None:
    assert jit.library("libcrypto.so.3") and not jit.library("libnowhere.so.9")
    assert asked(True, False) >= 0x30000000
    assert asked(False, False) == 0
