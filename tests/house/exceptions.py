"""What the house laws let pass, each with its reason. These lists only shrink; tools/test prints them.

A line that is no longer needed fails the test as surely as a new offence does.
"""

from __future__ import annotations

# file -> (lines allowed, why); the law is 600
LONG_FILES: dict[str, tuple[int, str]] = {}

# file:function -> (lines allowed, why); the law is 70
LONG_FUNCTIONS: dict[str, tuple[int, str]] = {}

# engine module -> where it is tested instead, and why
TESTED_ELSEWHERE: dict[str, str] = {}

# file -> names it may import or call although it stands in a pure room, and why
IMPURE: dict[str, tuple[tuple[str, ...], str]] = {
    "engine/jit.py": (
        ("os", "pathlib", "read_bytes", "read_text", "shutil", "sys", "tempfile"),
        "names and prunes numba's cache folder by the hash of the kernels' sources, before numba is imported",
    ),
}

# file:identifier -> why this word means something else there
WORDS: dict[str, str] = {}


def main() -> None:
    """Print every exception with its reason."""
    for path, (lines, reason) in LONG_FILES.items():
        print(f"file of up to {lines} lines: {path}: {reason}")
    for name, (lines, reason) in LONG_FUNCTIONS.items():
        print(f"function of up to {lines} lines: {name}: {reason}")
    for path, reason in TESTED_ELSEWHERE.items():
        print(f"tested elsewhere: {path}: {reason}")
    for path, (names, reason) in IMPURE.items():
        print(f"impure: {path} may use {', '.join(names)}: {reason}")
    for name, reason in WORDS.items():
        print(f"word: {name}: {reason}")
    if not (LONG_FILES or LONG_FUNCTIONS or TESTED_ELSEWHERE or IMPURE or WORDS):
        print("no exceptions to the house laws")


if __name__ == "__main__":
    main()
