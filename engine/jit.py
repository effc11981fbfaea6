"""The only place that imports numba (DESIGN §2): kernels, atomics between threads, libc calls, the cache folder.

Numba keeps compiled kernels on disk, but its cache sees neither changes in callees nor in globals, and it has no
place to write under a read-only install. So before numba is imported its cache folder is set to one whose name is a
hash of every kernel source, the limits, numba's version and the flags that change code. A changed callee gives
another folder; nothing stale is ever loaded.

Rooms write `@kernel` functions over arrays and integers. A word that two threads touch is read and written by
`load_acquire` / `store_release` only: plain array access is no protocol, LLVM hoists and deletes it.
This file reads the environment and source files, which rules may not do: nothing else on the ground floor does.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

_P = ParamSpec("_P")
_R = TypeVar("_R")
_ENGINE = Path(__file__).parent
_FLAGS = ("NUMBA_BOUNDSCHECK", "NUMBA_OPT", "NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES")
_FOLDERS_KEPT = 4


def kernel_sources(root: Path = _ENGINE) -> list[Path]:
    """Files whose text can reach compiled code, sorted: those that use `engine.jit`, and whatever these import.

    Kernels bake in the constants of modules they import, so the closure over imports counts, not only kernels.
    """
    texts = {path: path.read_text("utf-8") for path in root.rglob("*.py")}
    found = {path for path, text in texts.items() if re.search(r"engine\.jit|engine import .*\bjit\b", text)}
    found |= {root / "jit.py", root / "limits.py"} & texts.keys()
    waiting = sorted(found)
    while waiting:
        for path in sorted(_imported(texts[waiting.pop()], root) & texts.keys() - found):
            found.add(path)
            waiting.append(path)
    return sorted(found)


def _imported(text: str, root: Path) -> set[Path]:
    modules: list[str] = re.findall(r"^import engine\.([\w.]+)", text, re.MULTILINE)
    for module, names in re.findall(r"^from engine\.?([\w.]*) import (\([^)]*\)|[^\n]*)", text, re.MULTILINE):
        modules.append(module)
        modules += [f"{module}.{name}".lstrip(".") for name in re.findall(r"\w+", names)]
    return {root / (module.replace(".", "/") + ".py") for module in modules}


def kernel_hash(root: Path = _ENGINE) -> str:
    """Twelve hexadecimal digits that change when any kernel source, limit, flag or numba's version does."""
    digest = hashlib.blake2b(digest_size=6)
    for path in kernel_sources(root):
        digest.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes() + b"\0")
    for part in (metadata.version("numba"), sys.version, *(os.environ.get(flag, "") for flag in _FLAGS)):
        digest.update(part.encode() + b"\0")
    return digest.hexdigest()


def cache_root() -> Path:
    """Where kernel caches live: $RINGDOWN_CACHE, else the user's cache folder."""
    chosen = os.environ.get("RINGDOWN_CACHE")
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ringdown"


def cache_folder(root: Path = _ENGINE) -> Path:
    """Create and return this build's cache folder, private to the user (numba unpickles what lies in it)."""
    name = "kernels-" + kernel_hash(root)
    for base in (cache_root(), Path(tempfile.gettempdir()) / f"ringdown-{os.getuid()}"):
        folder = base / name
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError:
            continue
        if folder.stat().st_uid == os.getuid() and os.access(folder, os.W_OK):
            return folder
    return Path(tempfile.mkdtemp(prefix="ringdown-"))


def prune(keep: int = _FOLDERS_KEPT) -> None:
    """Remove cache folders of older builds but the `keep` newest; a running process has its kernels in memory."""
    folders = sorted(cache_root().glob("kernels-*"), key=lambda path: path.stat().st_mtime, reverse=True)
    for folder in folders[keep:]:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _hidden(*modules: str) -> Iterator[None]:
    """Whoever looks for these meanwhile finds that they aren't installed, unless they have been imported already."""
    hidden = [name for name in modules if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # what Python takes for "there is none"
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


if "numba" not in sys.modules:
    os.environ["NUMBA_CACHE_DIR"] = str(cache_folder())

with _hidden("scipy"):  # of which numba asks the version only
    import numba as _numba
import numpy  # noqa: E402
from llvmlite.binding import add_symbol as _add_symbol  # noqa: E402
from llvmlite.binding import parse_bitcode as _bitcode  # noqa: E402
from numba import types  # noqa: E402
from numba.core import cgutils as _cgutils  # noqa: E402
from numba.core import codegen as _numba_codegen  # noqa: E402
from numba.core.registry import cpu_target as _cpu_target  # noqa: E402
from numba.extending import intrinsic  # noqa: E402

unliteral: Any = types.unliteral
numba: Any = _numba  # its own annotations are partial
_Compiled: Any = _numba_codegen.JITCodeLibrary
_parse_bitcode: Any = _bitcode
cgutils: Any = _cgutils
DISABLED = bool(numba.config.DISABLE_JIT)
i64: Any = numpy.int64  # widens a byte in a kernel: numba's own int() of an unsigned type stays unsigned


def kernel(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Compile on first use, without the GIL, cached on disk. Kernels take arrays, integers and named tuples of them.

    They compute in int64, never raise, and run as plain Python under NUMBA_DISABLE_JIT=1. What kernels call is
    compiled as their `part`, not by its own way in.
    """
    options = {"nogil": True, "error_model": "numpy", "no_cfunc_wrapper": True}
    try:
        compiled = numba.njit(cache=True, **options)(function)
    except RuntimeError:  # no source file to key the cache on (typed at a prompt)
        return cast("Callable[_P, _R]", numba.njit(**options)(function))
    if not DISABLED:
        _sized(compiled, _WHOLE)
        inner = compiled.inner = cache(lambda: part(function))  # most processes compile nothing
        compiled.get_call_template = lambda arguments, named: inner().get_call_template(arguments, named)
        compiled.get_overload = lambda signature: inner().get_overload(signature)
    return cast("Callable[_P, _R]", compiled)


def part(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """A kernel that only kernels call: code for the compilers of its callers, and none for the processor.

    No way in from Python is compiled, nothing is translated for the processor that no one will run there, and numba's
    own habit is stopped, to compile a function once more for each constant that it is called with: all that is most of
    the time that compiling takes.
    """
    options = {"nogil": True, "error_model": "numpy", "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    compiled = numba.njit(cache=True, **options)(function)
    if not DISABLED:
        _sized(compiled, _PART)
        key, template = compiled._cache._index_key, compiled.get_call_template

        def without_constants(arguments: Any, named: Any) -> Any:
            plain = {key: unliteral(value) for key, value in dict(named).items()}
            return template(tuple(unliteral(each) for each in arguments), plain)

        # the whole of this name has an entry of its own in the same index
        compiled._cache._index_key = lambda signature, codegen: (*key(signature, codegen), _PART)
        compiled.get_call_template = without_constants
    return cast("Callable[_P, _R]", compiled)


_WHOLE, _PART = "whole", "part"
_making = [_WHOLE]  # what is being compiled; what that needs is compiled meanwhile


@contextmanager
def _making_a(what: str) -> Iterator[None]:
    before, _making[0] = _making[0], what
    try:
        yield
    finally:
        _making[0] = before


def _sized(compiled: Any, what: str) -> None:
    """See to it that this function's code is made as `what` (`_Code`)."""
    compile_core = compiled._compiler._compile_core

    def compile_as(arguments: Any, result: Any) -> Any:
        with _making_a(what):
            return compile_core(arguments, result)

    compiled._compiler._compile_core = compile_as


class _Code(_Compiled):  # type: ignore[misc]
    """What was made of one function and all that it calls. A part's ends as LLVM's code, which others link."""

    def __init__(self, codegen: Any, name: str) -> None:
        super().__init__(codegen, name)
        self.what = _making[0]

    def _optimize_final_module(self) -> None:
        if self.what == _PART:  # the passes that cost time come once, when the whole is there
            passes, builder = self._codegen._module_pass_manager(
                loop_vectorize=False, slp_vectorize=False, opt=0, cost="cheap"
            )
            passes.run(self._final_module, builder)
            return
        super()._optimize_final_module()

    def _finalize_final_module(self) -> None:
        if self.what != _PART:
            super()._finalize_final_module()
            return
        self._finalize_dynamic_globals()
        self._finalized = True

    def serialize_using_object_code(self) -> Any:
        """For the cache on disk."""
        if self.what != _PART:
            return super().serialize_using_object_code()
        return self.name, _PART, self._get_module_for_linking().as_bitcode()

    @classmethod
    def _unserialize(cls, codegen: Any, state: Any) -> Any:
        name, kind, data = state
        with _making_a(_PART if kind == _PART else _WHOLE):
            if kind != _PART:
                return super()._unserialize(codegen, state)
            self = cls(codegen, name)
            self._final_module = _parse_bitcode(data)
            self._finalize_final_module()
            return self


def _use(codegen: Any) -> None:
    """Have numba make `_Code`. What has no address can't be told where its environment is, and needs none."""
    set_env = codegen.set_env

    def set_env_if_there(name: str, environment: Any) -> None:
        if codegen._engine.is_symbol_defined(name):
            set_env(name, environment)

    codegen._library_class, codegen.set_env = _Code, set_env_if_there


if not DISABLED:
    _use(_cpu_target.target_context.codegen())


def _bare(typing_context: Any, array: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        view = context.make_array(signature.args[0])(context, builder, arguments[0])
        view.meminfo = cgutils.get_null_value(view.meminfo.type)
        view.parent = cgutils.get_null_value(view.parent.type)
        return view._getvalue()

    return array(array), codegen


def _same(array: Any) -> Any:
    return array


# bare(array): the same memory without an owner. Numba counts references by atomic instructions at every touch of a
# tuple of arrays, which is most of what small kernels cost; the caller's array must outlive the kernel, as arguments
# do.
bare = cast("Callable[[Any], Any]", _same if DISABLED else intrinsic(_bare))


def _load_acquire(typing_context: Any, array: Any, index: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        view = context.make_array(signature.args[0])(context, builder, arguments[0])
        address = cgutils.get_item_pointer(
            context, builder, signature.args[0], view, [arguments[1]], wraparound=False
        )
        return builder.load_atomic(address, "acquire", 8)

    return types.int64(array, types.intp), codegen


def _store_release(typing_context: Any, array: Any, index: Any, value: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        view = context.make_array(signature.args[0])(context, builder, arguments[0])
        address = cgutils.get_item_pointer(
            context, builder, signature.args[0], view, [arguments[1]], wraparound=False
        )
        builder.store_atomic(arguments[2], address, "release", 8)
        return context.get_dummy_value()

    return types.void(array, types.intp, types.int64), codegen


def _plain_load(array: Any, index: int) -> int:
    return int(array[index])


def _plain_store(array: Any, index: int, value: int) -> None:
    array[index] = value


# With the JIT off there is one thread (tests), so plain access is enough.
load_acquire = cast("Callable[[Any, int], int]", _plain_load if DISABLED else intrinsic(_load_acquire))
# load_acquire(array, index): word `index` of a one-dimensional int64 array, as another thread last released it.
store_release = cast("Callable[[Any, int, int], None]", _plain_store if DISABLED else intrinsic(_store_release))
# store_release(array, index, value): publish `value`; what was written before it is seen by whoever acquires it.

_C_TYPES: dict[str, Any] = {
    "int": types.int32,
    "uint": types.uint32,
    "long": types.intp,
    "size": types.uintp,
    "pointer": types.voidptr,
}


def external(name: str, result: str, *arguments: str) -> Any:
    """A C function of the running process, callable from kernels with `cache=True` (ctypes pointers aren't).

    Types are words: int, uint, long, size, pointer. Pass an array's memory as `array.ctypes`, a null pointer as 0.
    """
    return types.ExternalFunction(name, _C_TYPES[result](*[_C_TYPES[kind] for kind in arguments]))


_C_SIZES: dict[str, Any] = {
    "int": ctypes.c_int32, "uint": ctypes.c_uint32, "long": ctypes.c_ssize_t, "size": ctypes.c_size_t,
    "pointer": ctypes.c_void_p,
}
_libraries: dict[str, Any] = {}  # by name; None: this machine hasn't got it


def library(name: str) -> bool:
    """Load a C library whose functions kernels call by `external_of`; False when this machine hasn't got it."""
    if name not in _libraries:
        try:
            _libraries[name] = ctypes.CDLL(name)
        except OSError:
            _libraries[name] = None
    return _libraries[name] is not None


def external_of(name: str, function: str, result: str, *arguments: str) -> Any:
    """A C function of the library `name`, as `external` gives those of the process itself.

    Addresses are "long" here: pass `array.ctypes.data`, or 0 for none. Without the library (or the function) kernels
    compile all the same, and a call would end the process: ask `library` before whatever leads to one.
    """
    found = getattr(_libraries[name], function, None) if library(name) else None
    if DISABLED and found is not None:
        found.restype, found.argtypes = _C_SIZES[result], [_C_SIZES[kind] for kind in arguments]
        return found
    address = ctypes.cast(found if found is not None else ctypes.CDLL(None).abort, ctypes.c_void_p).value
    _add_symbol(function, address)
    return external(function, result, *arguments)


def load_lean() -> None:
    """Let numba set itself up now, as it would for the first kernel, without the packages that it looks for and no
    kernel of ours uses: that is a quarter of what a process of a few kernels needs to start. They can be imported
    afterwards as usual."""
    if not DISABLED:
        with _hidden("scipy.linalg", "cffi"):
            _cpu_target.target_context.refresh()
            _cpu_target.typing_context.refresh()


_warmers: list[tuple[str, Callable[[], object]]] = []


def on_warm(name: str, run: Callable[[], object]) -> None:
    """Register `run`, which calls or compiles a room's kernels once with the types they meet in production."""
    _warmers.append((name, run))


def compile_for(function: Callable[..., object], *arguments: object) -> None:
    """Compile a kernel for arguments of these types without running it."""
    if not DISABLED:
        cast("Any", function).compile(tuple(numba.typeof(argument) for argument in arguments))


def compile_part_for(function: Callable[..., object], *arguments: object) -> None:
    """Compile of a kernel what other kernels call, for arguments of these types: then they are compiled sooner."""
    if not DISABLED:
        cast("Any", function).inner().compile(tuple(numba.typeof(argument) for argument in arguments))


def warm(progress: Callable[[int, int, str], None] | None = None, *, only: tuple[str, ...] = ()) -> None:
    """Compile (or load from the cache) everything registered so far, or what has these names; `progress(done, total,
    name)` before each."""
    wanted = [each for each in _warmers if not only or each[0] in only]
    for done, (name, run) in enumerate(wanted):
        if progress:
            progress(done, len(wanted), name)
        run()
    if progress:
        progress(len(wanted), len(wanted), "")
    if not only:
        prune()
