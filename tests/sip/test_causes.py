"""Q.850 and SIP: each mapping fits the other where a person would notice, and nothing takes a trunk down."""

from __future__ import annotations

import pytest

from engine.sip.causes import OF_STATUS, STATUS_OF, of_status, status_of


@pytest.mark.parametrize(("status", "cause"), [
    (404, 1), (486, 17), (480, 18), (603, 21), (403, 21), (484, 28), (410, 22), (408, 102), (487, 16), (600, 17),
])
def test_rfc_3398_8_2_6_1(status: int, cause: int) -> None:
    assert of_status(status) == cause


@pytest.mark.parametrize(("cause", "status"), [
    (1, 404), (17, 486), (19, 480), (20, 480), (21, 603), (22, 410), (28, 484), (55, 403), (65, 488), (79, 501),
])
def test_rfc_3398_7_2_4_1(cause: int, status: int) -> None:
    assert status_of(cause) == status


def test_no_503_whatever_the_cause() -> None:
    assert 503 not in [status_of(cause) for cause in range(1, 128)]
    assert status_of(99) == 480


def test_what_goes_there_and_back_means_the_same() -> None:
    for status in (404, 486, 603, 484, 410, 488, 501, 504):
        assert status_of(of_status(status)) == status


def test_unknown_statuses_count_as_their_class() -> None:
    assert (of_status(499), of_status(599), of_status(699), of_status(302), of_status(200)) == (41, 41, 21, 0, 0)
    assert all(1 <= cause <= 127 for cause in OF_STATUS.values()) and all(400 <= s < 700 for s in STATUS_OF.values())
