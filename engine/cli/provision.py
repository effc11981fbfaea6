"""`ringdown provision DEVICE`: the address from which a box or phone fetches its configuration, once."""

from __future__ import annotations

from typing import Annotated

import typer

from engine.cli.options import Data, Json, data_folder


def provision(
    device: Annotated[str, typer.Argument(help="MAC address, agent or trunk; without one the devices are listed.")]
    = "",
    json: Json = False, data: Data = None,
) -> None:
    """Make the address from which a device of devices.yaml fetches its configuration and a new password, once."""
    from engine.cli import client, show

    found = client.ask(data_folder(data), "provision", **({"device": device} if device else {}))
    if json:
        print(show.as_json(found))
    elif not device:
        for each in found:
            ago = f", {each['fetched_ago_s']} s ago by {each['by']}" if each["by"] else ""
            print(f"{each['device']}  {each['profile']:20} {each['owner']:20} {each['state']}{ago}")
        if not found:
            print("devices.yaml of the site names no device")
    else:
        print(told(found))


def told(found: dict[str, object]) -> str:
    """What a person at the box needs, with the address as a QR code."""
    import io

    import segno

    picture = io.StringIO()
    segno.make(str(found["url"]), error="l").terminal(out=picture, compact=True)
    hand = found["by_hand"]
    assert isinstance(hand, list)
    left = "".join(f"\n  by hand  {each}" for each in hand)
    return (
        f"{found['device']} ({found['profile']}) of {found['owner']} fetches its configuration, once within "
        f"{found['minutes']} minutes, from\n"
        f"  folder   {found['base']}\n  file     {found['url']}\n  enter    {found['enter']}{left}\n"
        f"{picture.getvalue()}"
    )
