"""`ringdown test PATH...`: the tests beside the dialplans, each a call in a world of its own, in virtual time."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.cli.options import Data, Json, data_folder

if TYPE_CHECKING:
    from engine.cli.results import Row
    from engine.dialplan.findings import Finding
    from engine.dialplan.model import Site
    from engine.sim.coverage import Coverage
    from engine.sim.expecting import Result


def test(
    paths: Annotated[list[Path], typer.Argument(help="Files *.test.yaml, site folders, or folders of sites.")],
    call: Annotated[str, typer.Option("--from", help="Print the test of this recorded call instead.")] = "",
    keep_caller: Annotated[bool, typer.Option("--keep-caller", help="… with the caller's whole number.")] = False,
    data: Data = None,
    match: Annotated[str, typer.Option("--match", help="Only tests whose name holds these words.")] = "",
    transcript: Annotated[bool, typer.Option("--transcript", help="Print how every call went.")] = False,
    coverage: Annotated[bool, typer.Option("--coverage", help="Name the steps and branches nobody has seen.")] = False,
    coverage_min: Annotated[int, typer.Option("--coverage-min", help="So many percent of both, or exit status 1.")] = 0,
    golden: Annotated[bool, typer.Option("--golden", help="Compare with the kept transcripts; keep new ones.")] = False,
    golden_write: Annotated[bool, typer.Option("--golden-write", help="Keep all transcripts as they are now.")] = False,
    speech: Annotated[bool, typer.Option("--speech", help="Play speech corpora (*.speech.yaml) instead: to the "
                                         "recogniser, by voices, in noise.")] = False,
    accept: Annotated[bool, typer.Option("--accept", help="… and keep the figures, to compare with.")] = False,
    junit: Annotated[Path | None, typer.Option("--junit", help="Write the results as JUnit XML to this file.")] = None,
    json: Json = False,
) -> None:
    """Play dialplans against their tests. Exit status 0: all went as written, 1: not, 2: used wrongly."""
    sites = sites_of(paths)
    if speech:
        from engine.cli import test_speech

        test_speech.run(sites, match, accept=accept, json=json)
        return
    if call:
        if len(sites) != 1:
            raise typer.BadParameter("--from takes one site: the one that the call came to")
        _print_from(call, sites[0][0], data_folder(data), keep_caller=keep_caller)
        return
    run = _Run(match, transcript and not json, quiet=json, named=len({folder for folder, _ in sites}) > 1)
    run.golden = "write" if golden_write else "compare" if golden else ""
    run.covers, run.percent_min = coverage or coverage_min > 0, coverage_min
    for folder, only in sites:
        run.site(folder, only)
    run.done(junit, json)
    if not run.ok():
        raise typer.Exit(1)


def _print_from(call: str, folder: Path, data: Path, *, keep_caller: bool) -> None:
    """The test of a recorded call, on stdout; what goes otherwise now on stderr, with status 1."""
    from engine.cli import from_call

    made = from_call.made(call, folder, data, keep_caller=keep_caller)
    print(made.text, end="")
    for difference in made.differences:
        print(f"# {difference}", file=sys.stderr)
    if made.differences:
        raise typer.Exit(1)


class _Run:
    """All sites of one command. `named`: places begin with their site's name."""

    def __init__(self, match: str, transcript: bool, *, quiet: bool, named: bool) -> None:
        self.match, self.transcript, self.quiet, self.named = match, transcript, quiet, named
        self.rows: list[Row] = []
        self.broken: list[Any] = []
        self.files = 0
        self.seconds = 0.0
        self.golden = ""  # compare | write
        self.covers = False
        self.percent_min = 0
        self.covered: list[tuple[str, Coverage]] = []

    def site(self, folder: Path, only: Path | None) -> None:
        from engine.errors import UsageError
        from engine.runtime.site_files import read_folder
        from engine.sim.examining import is_test

        site = f"{folder.resolve().name}/" if self.named else ""
        reading = read_folder(folder)
        self.broken.extend(_within(site, reading.errors()))
        if reading.site is None:
            return
        files = {}
        for path in sorted(folder.rglob("*.test.yaml")) if only is None else [only]:
            name = path.resolve().relative_to(folder.resolve()).as_posix()
            if is_test(name) and not any(part.startswith(".") for part in name.split("/")):
                files[name] = path.read_bytes()
            elif only is not None:
                raise UsageError(f"{only} is no file of tests: those are dialplans/NAME.test.yaml of a site")
        self._play(folder, reading.site, files, site, whole=only is None)

    def _play(self, folder: Path, loaded: Site, files: dict[str, bytes], site: str, *, whole: bool) -> None:
        from time import perf_counter

        from engine.cli.results import Row
        from engine.sim.coverage import coverage_of
        from engine.sim.examining import examine
        from engine.sim.transcript_reader import dialplan_of

        first = last = perf_counter()
        lines = {name: data.decode("utf-8", "replace").split("\n") for name, data in files.items()}
        kept = {name: self._kept(folder, name) for name in files}
        cover = coverage_of(loaded, None if whole else [dialplan_of(name) for name in files])

        def told(file: str, result: Result) -> None:
            nonlocal last
            now = perf_counter()
            cover.saw(result.events)
            if result.given is not None:
                cover.came(loaded, result.given)
            row = Row(file, self._compared(kept[file], result), now - last, lines[file], site)
            last = now
            self.rows.append(row)
            if not self.quiet:
                self.show(row)

        report = examine(loaded, files, chosen=self.match, told=told)
        self.broken.extend(_within(site, report.findings))
        self.files += report.files
        self.seconds += perf_counter() - first
        if self.covers:
            self.covered.append((site, cover))
        for name, stories in kept.items():
            self._keep(folder, name, stories)

    def _kept(self, folder: Path, name: str) -> dict[str, list[str]]:
        """The golden transcripts of a file, {} where there are none or they aren't asked for."""
        from engine.sim import golden

        path = folder / golden.path_of(name)
        if not self.golden or not path.is_file():
            return {}
        return golden.parse(path.read_text(encoding="utf-8"))

    def _compared(self, kept: dict[str, list[str]], result: Result) -> Result:
        """The result, a failure when its call went otherwise than it is kept. What is new is kept."""
        import msgspec

        from engine.sim import golden

        if not self.golden or result.failure is not None:
            return result
        if self.golden == "write" or result.test not in kept:
            kept[result.test] = [line.strip() for line in result.story]
            return result
        return msgspec.structs.replace(result, failure=golden.compare(result.place, kept[result.test], result.story))

    def _keep(self, folder: Path, name: str, stories: dict[str, list[str]]) -> None:
        from engine.sim import golden

        path = folder / golden.path_of(name)
        text = golden.render(name, stories)
        if self.golden and stories and not (path.is_file() and path.read_text(encoding="utf-8") == text):
            _write(path, text)

    def show(self, row: Row) -> None:
        from engine.cli.results import failure_text

        result = row.result
        if result.failure is not None:
            print(failure_text(row, result.failure))
        elif self.transcript:
            head = f"{row.site}{result.place}: {result.test}: ok"
            print("\n".join([head, *(f"    {line}" for line in result.story)]))

    def failed(self) -> int:
        return sum(1 for row in self.rows if row.result.failure is not None)

    def thin(self) -> list[str]:
        """Sites whose tests see too little."""
        return [site or "the site" for site, cover in self.covered if min(cover.percent()) < self.percent_min]

    def ok(self) -> bool:
        return bool(self.rows) and not self.broken and not self.failed() and not self.thin()

    def done(self, junit: Path | None, json: bool) -> None:
        from engine.cli import results, show
        from engine.dialplan.findings import render

        if junit is not None:
            text = results.junit(self.rows, [render(finding) for finding in self.broken])
            _write(junit, text)
        if json:
            import msgspec

            plain = [results.as_plain(row) for row in self.rows]
            broken = [msgspec.to_builtins(finding) for finding in self.broken]
            told = {"ok": self.ok(), "files": self.files, "tests": plain, "findings": broken}
            if self.covers:
                told["coverage"] = [results.coverage_plain(site, cover) for site, cover in self.covered]
            print(show.as_json(told))
            return
        for finding in self.broken:
            print(render(finding))
        if not self.rows and not self.broken:
            print("no test: write one beside the dialplan, as in dialplans/main.test.yaml (see dialplans/LANGUAGE.md)")
        for site, cover in self.covered:
            print("\n".join(results.coverage_text(site, cover)))
        for site in self.thin():
            print(f"{site.rstrip('/')}: less than {self.percent_min} % (--coverage-min)")
        print(f"{len(self.rows)} tests in {self.files} files, {self.failed()} failed, {self.seconds:.2f} s")


def _within(site: str, findings: list[Finding]) -> list[Finding]:
    """The same, their files below the site's name."""
    import msgspec

    return [msgspec.structs.replace(finding, file=site + finding.file) for finding in findings]


def _write(path: Path, text: str) -> None:
    from engine.errors import UsageError

    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"can't write {path}: {error.strerror}") from error


def sites_of(paths: list[Path]) -> list[tuple[Path, Path | None]]:
    """(site folder, the one file that is meant or None), in the order of the paths. Raises UsageError."""
    from engine.cli.check import site_of
    from engine.errors import UsageError

    found: list[tuple[Path, Path | None]] = []
    for path in paths:
        if not path.exists():
            raise UsageError(f"{path} doesn't exist")
        if path.is_file():
            found.append((site_of(path), path))
        elif (path / "site.yaml").is_file():
            found.append((path, None))
        else:
            below = sorted(file.parent for file in path.rglob("site.yaml"))
            if not below:
                raise UsageError(f"{path} is no site and holds none: a site is a folder with site.yaml")
            found.extend((folder, None) for folder in below)
    return found
