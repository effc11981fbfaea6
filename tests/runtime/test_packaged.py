"""Folders of the distribution are found, and a missing one is told with what to do."""

from __future__ import annotations

import pytest

from engine.errors import SiteError
from engine.runtime.packaged import package_folder


@pytest.mark.parametrize("name", ["prompts", "dialplans/demo", "hardware/gateways", "hardware/phones"])
def test_it_is_there(name: str) -> None:
    assert package_folder(name).is_dir()


def test_a_missing_one_says_what_to_do() -> None:
    with pytest.raises(SiteError, match="lacks its folder 'no-such-folder': install ringdown again"):
        package_folder("no-such-folder")
