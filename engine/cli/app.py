"""All commands in one Typer application. Importing it must stay cheap: commands import what they need when they run."""

from __future__ import annotations

import sys
from collections.abc import Callable

import typer

from engine.cli import (
    agent,
    agents,
    backup,
    block,
    blocks,
    call,
    callback,
    callbacks,
    calls,
    check,
    console,
    dial,
    diff,
    doctor,
    drain,
    forget,
    fraud,
    graph,
    hear,
    hours,
    import_site,
    init,
    notice,
    profiles,
    prompts,
    provision,
    queue,
    queues,
    recognizer,
    reload,
    replay,
    report,
    restart,
    restore,
    rollback,
    schema,
    secret,
    serve,
    simulate,
    staffing,
    status,
    tail,
    test,
    try_out,
    utterances,
    versions,
    voicemail,
    warm,
    why,
)
from engine.errors import RingdownError, UsageError

app = typer.Typer(
    name="ringdown", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None,
    help="A telephony IVR and ACD engine. `ringdown serve` runs it; everything else talks to it or reads its records.",
)

_COMMANDS: tuple[tuple[str, Callable[..., None]], ...] = (
    ("serve", serve.serve), ("init", init.init), ("check", check.check), ("test", test.test), ("try", try_out.try_out),
    ("graph", graph.graph), ("schema", schema.schema), ("prompts", prompts.prompts),
    ("import", import_site.import_site),
    ("reload", reload.reload), ("versions", versions.versions), ("diff", diff.diff), ("rollback", rollback.rollback),
    ("hours", hours.hours), ("notice", notice.notice), ("secret", secret.secret),
    ("profiles", profiles.profiles), ("provision", provision.provision),
    ("dial", dial.dial), ("tail", tail.tail), ("calls", calls.calls), ("call", call.call), ("hear", hear.hear),
    ("recognizer", recognizer.recognizer), ("utterances", utterances.utterances),
    ("callbacks", callbacks.callbacks), ("callback", callback.callback), ("voicemail", voicemail.voicemail),
    ("agents", agents.agents), ("agent", agent.agent), ("queues", queues.queues), ("queue", queue.queue),
    ("console", console.console), ("why", why.why), ("status", status.status), ("report", report.report),
    ("simulate", simulate.simulate), ("staffing", staffing.staffing), ("replay", replay.replay),
    ("backup", backup.backup), ("restore", restore.restore), ("forget", forget.forget),
    ("blocks", blocks.blocks), ("block", block.block), ("fraud", fraud.fraud),
    ("doctor", doctor.doctor), ("drain", drain.drain), ("restart", restart.restart), ("warm", warm.warm),
)
for _name, _command in _COMMANDS:
    app.command(_name)(_command)


@app.callback(invoke_without_command=True)
def _root(version: bool = typer.Option(False, "--version", help="Print the version.")) -> None:
    if version:
        from engine import __version__

        print(__version__)
        raise typer.Exit


def run(arguments: list[str] | None = None) -> int:
    """Run one command line; returns the exit status."""
    try:
        result = app(args=arguments, standalone_mode=False)
    except typer.Exit as leave:
        return int(leave.exit_code)
    except UsageError as error:
        print(f"ringdown: {error}", file=sys.stderr)
        return 2
    except RingdownError as error:
        print(f"ringdown: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        sys.stderr.close()  # the reader (head, less) has what it wanted
        return 0
    except Exception as error:
        show = getattr(error, "show", None)  # Typer's own usage errors and aborts
        if show is None:
            if type(error).__name__ == "Abort":
                return 130
            raise
        show()
        return int(getattr(error, "exit_code", 2))
    return result if isinstance(result, int) else 0
