"""Dialogs: route sets both ways, strict and loose routing, targets, and the next hop's rule."""

from __future__ import annotations

import pytest

from engine.errors import ProtocolError
from engine.sip.dialog import (
    Dialog,
    as_server,
    confirm_as_client,
    fork_of,
    next_hop,
    refresh_target,
    request_line,
)
from engine.sip.events import Connect, Path
from engine.sip.flows import Flows, Listener, networks_of
from engine.sip.message import Message
from engine.sip.parser import parse
from tests.sip.wire import PHONE, request, response

ROUTES = ("Record-Route: <sip:p1.example;lr>, <sip:p2.example;lr>", "Record-Route: <sip:p3.example;lr>")


def dialog(**fields: object) -> Dialog:
    base: dict[str, object] = {
        "call_id": "c", "local_tag": "l", "remote_tag": "r", "local": "<sip:a>;tag=l", "remote": "<sip:b>;tag=r",
        "target": "sip:bob@10.0.0.9:5060", "routes": [], "local_cseq": 1, "remote_cseq": 1, "path": PHONE,
    }
    return Dialog(**(base | fields))  # type: ignore[arg-type]


def flows(*networks: str) -> Flows:
    made = Flows()
    made.listen(Listener(1, "udp", "203.0.113.2", 5060, "203.0.113.2", 5060, networks_of(networks)))
    made.listen(Listener(2, "tcp", "203.0.113.2", 5060, "203.0.113.2", 5060, networks_of(networks)))
    return made


def test_a_server_takes_the_route_set_in_order() -> None:
    made = as_server(parse(request("INVITE", extra=ROUTES)), "mine", PHONE)
    assert made.routes == ["<sip:p1.example;lr>", "<sip:p2.example;lr>", "<sip:p3.example;lr>"]
    assert (made.local_tag, made.remote_tag, made.remote_cseq) == ("mine", "f1", 1)
    assert made.local.endswith(";tag=mine") and made.target == "sip:ann@10.0.0.9:5060"
    assert made.symmetric and made.one_hop


def test_a_client_takes_it_reversed() -> None:
    made = dialog(remote_tag="")
    answer = parse(response(parse(request("INVITE")), 200, tag="far", extra=ROUTES))
    confirm_as_client(made, answer, PHONE)
    assert made.routes[0] == "<sip:p3.example;lr>" and made.routes[-1] == "<sip:p1.example;lr>"
    assert made.remote_tag == "far" and made.target == "sip:bob@10.0.0.9:5060"


def test_a_fork_is_another_dialog() -> None:
    made = dialog()
    fork = fork_of(made, parse(response(parse(request("INVITE")), 200, tag="other")), PHONE)
    assert fork.remote_tag == "other" and made.remote_tag == "r" and fork.call_id == made.call_id


@pytest.mark.parametrize("contact", ["", "*", "<tel:123>", "<sip:a@b>, <sip:c@d>", "<sip:>"])
def test_a_dialog_needs_one_contact(contact: str) -> None:
    with pytest.raises(ProtocolError):
        as_server(parse(request("INVITE", contact=contact)), "t", PHONE)


def test_a_bad_record_route_refuses_the_dialog() -> None:
    with pytest.raises(ProtocolError):
        as_server(parse(request("INVITE", extra=("Record-Route: <tel:1>",))), "t", PHONE)


def test_two_vias_are_not_one_hop() -> None:
    via = "SIP/2.0/UDP 10.0.0.9;branch=z9hG4bKa, SIP/2.0/UDP 10.0.0.8;branch=z9hG4bKb"
    made = as_server(parse(request("INVITE", via=via)), "t", PHONE)
    assert not made.one_hop and not made.symmetric


def test_loose_routing_keeps_the_target_as_request_uri() -> None:
    made = dialog(routes=["<sip:p1;lr>", "<sip:p2;lr>"])
    assert request_line(made) == ("sip:bob@10.0.0.9:5060", ["<sip:p1;lr>", "<sip:p2;lr>"])
    assert request_line(dialog()) == ("sip:bob@10.0.0.9:5060", [])


def test_strict_routing_swaps_the_first_route_in() -> None:
    made = dialog(routes=["<sip:p1?x=1>", "<sip:p2;lr>"])
    assert request_line(made) == ("sip:p1", ["<sip:p2;lr>", "<sip:bob@10.0.0.9:5060>"])


def test_a_target_refresh_takes_a_usable_contact_only() -> None:
    made = dialog()
    refresh_target(made, parse(request("INVITE", contact="<sip:new@10.0.0.9:6000>", to_tag="x")))
    assert made.target == "sip:new@10.0.0.9:6000"
    refresh_target(made, parse(request("INVITE", contact="", to_tag="x")))
    assert made.target == "sip:new@10.0.0.9:6000"


class TestNextHop:
    """The rule at the head of the module, case by case."""

    path = Path(1, "198.51.100.7", 31_000)

    def test_contact_on_the_source_host_goes_to_the_source_port(self) -> None:
        assert next_hop(dialog(target="sip:x@198.51.100.7:5060", path=self.path), flows()) == self.path

    def test_unless_the_peer_is_asymmetric(self) -> None:
        made = dialog(target="sip:x@198.51.100.7:5064", path=self.path, symmetric=False)
        assert next_hop(made, flows()) == Path(1, "198.51.100.7", 5064)

    @pytest.mark.parametrize("host", ["192.168.1.9", "phone.local", "127.0.0.1"])
    def test_an_unreachable_contact_means_nat(self, host: str) -> None:
        assert next_hop(dialog(target=f"sip:x@{host}:5060", path=self.path), flows()) == self.path

    def test_a_private_contact_in_a_local_network_is_reached(self) -> None:
        made = dialog(target="sip:x@192.168.1.9", path=self.path)
        assert next_hop(made, flows("192.168.0.0/16")) == Path(1, "192.168.1.9", 5060)

    def test_a_public_contact_after_a_proxy_is_reached(self) -> None:
        assert next_hop(dialog(target="sip:x@8.8.8.8:5062", path=self.path), flows()) == Path(1, "8.8.8.8", 5062)

    def test_one_hop_means_that_the_source_is_the_peer(self) -> None:
        made = dialog(target="sip:x@8.8.8.8:5062", path=self.path, one_hop=True)
        assert next_hop(made, flows()) == self.path

    def test_a_route_comes_before_the_contact(self) -> None:
        made = dialog(routes=["<sip:203.0.113.50:5070;lr>"], path=self.path, one_hop=True)
        assert next_hop(made, flows()) == Path(1, "203.0.113.50", 5070)
        assert next_hop(dialog(routes=["<sip:proxy.example;lr>"], path=self.path), flows()) == self.path

    def test_another_transport_is_honoured(self) -> None:
        made = flows()
        hop = next_hop(dialog(target="sip:x@8.8.8.8:5062;transport=tcp", path=self.path), made)
        assert hop is not None and hop.transport == "tcp" and isinstance(made.sends[0], Connect)

    def test_but_not_one_that_we_lack(self) -> None:
        made = dialog(target="sip:x@198.51.100.7;transport=tls", path=self.path)
        assert next_hop(made, flows()) == self.path

    def test_a_stream_dialog_stays_on_its_stream(self) -> None:
        made = flows()
        stream = Path(1_000_000, "198.51.100.7", 40_000, "tcp")
        made.opened(stream)
        assert next_hop(dialog(target="sip:x@192.168.1.9", path=stream), made) == stream

    def test_a_gone_stream_is_opened_to_the_contact(self) -> None:
        made = flows()
        stream = Path(1_000_000, "198.51.100.7", 40_000, "tcp")
        hop = next_hop(dialog(target="sip:x@198.51.100.7:5061", path=stream), made)
        assert made.sends == [Connect(1_000, "tcp", "198.51.100.7", 5061)]
        assert hop == Path(1_000, "198.51.100.7", 5061, "tcp")

    def test_back_to_udp(self) -> None:
        stream = Path(1_000_000, "198.51.100.7", 40_000, "tcp")
        made = dialog(target="sip:x@8.8.8.8;transport=udp", path=stream)
        assert next_hop(made, flows()) == Path(1, "8.8.8.8", 5060)

    def test_udp_is_not_invented_where_nobody_listens_on_it(self) -> None:
        only_tcp = Flows()
        stream = Path(1_000_000, "198.51.100.7", 40_000, "tcp")
        only_tcp.opened(stream)
        assert next_hop(dialog(target="sip:x@198.51.100.7;transport=udp", path=stream), only_tcp) == stream


def test_salvaged_nonsense_in_the_target_falls_back_to_the_path() -> None:
    assert next_hop(dialog(target="nonsense"), flows()) == PHONE


def test_messages_without_rport_are_asymmetric() -> None:
    message: Message = parse(request("INVITE", via="SIP/2.0/UDP 10.0.0.9:5060;branch=z9hG4bKq"))
    assert not as_server(message, "t", PHONE).symmetric


# --- a stream that died with an engine ---------------------------------------------------------------------
DEAD = Path(1_000_007, "10.0.0.9", 49_152, "tcp")  # the phone's own source port; nobody listens there
SOURCE, REGISTERED = "sip:bob@10.0.0.9:49152;transport=tcp", "sip:bob@10.0.0.9:5070;transport=tcp"


def test_a_contact_that_names_the_dead_connections_port_is_called_where_our_invite_found_it() -> None:
    """RFC 3261 §12.2.1.1 would have us connect to the remote target, which leads nowhere."""
    made = dialog(path=DEAD, target=SOURCE, origin=REGISTERED)
    where = flows()
    hop = next_hop(made, where)
    assert hop is not None and (hop.host, hop.port, hop.transport) == ("10.0.0.9", 5_070, "tcp")
    assert [type(each) for each in where.sends] == [Connect]
    assert request_line(made)[0] == made.target  # the Request-URI stays the remote target


def test_while_the_connection_lives_it_is_used() -> None:
    made = dialog(path=DEAD, target=SOURCE, origin=REGISTERED)
    where = flows()
    where.opened(DEAD)
    assert next_hop(made, where) == DEAD and not where.sends
    made.origin = "sip:bob@203.0.113.77;transport=tcp"  # our INVITE went through somebody else
    assert next_hop(made, where) == DEAD and not where.sends


@pytest.mark.parametrize("origin", ["", "sip:bob@10.0.0.9:5070;transport=tcp"])
def test_a_contact_that_names_a_port_of_its_own_is_called_there(origin: str) -> None:
    made = dialog(path=DEAD, target="sip:bob@10.0.0.9:5065;transport=tcp", origin=origin)
    hop = next_hop(made, flows())
    assert hop is not None and (hop.host, hop.port, hop.transport) == ("10.0.0.9", 5_065, "tcp")


def test_who_called_us_over_a_dead_connection_is_called_at_his_contact() -> None:
    """No INVITE of ours found him anywhere: there is only his Contact."""
    hop = next_hop(dialog(path=DEAD, target="sip:bob@10.0.0.9:49152;transport=tcp"), flows())
    assert hop is not None and (hop.host, hop.port) == ("10.0.0.9", 49_152)
