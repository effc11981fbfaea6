"""Kamailio as a carrier: a registrar that challenges, a proxy that challenges and carries calls to a far end.

It runs in a process group of its own, so that `freeze` stops all of its workers: the port stays open and nothing is
answered any more, as when a machine hangs.
"""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

from harness.children import Child
from harness.ports import free_port

CONFIG = """\
#!KAMAILIO
debug=1
log_stderror=yes
children=1
tcp_children=1
auto_aliases=no
dns=no
rev_dns=no
disable_tcp={no_tcp}
listen=udp:127.0.0.1:{port}
{secured}loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "siputils.so"
loadmodule "textops.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "auth.so"
modparam("registrar", "min_expires", {expires_min})
modparam("registrar", "max_expires", {expires_max})
modparam("auth", "algorithm", "{algorithm}")

request_route {{
    if (!mf_process_maxfwd_header("10")) {{ sl_send_reply("483", "Too Many Hops"); exit; }}
    if (is_method("CANCEL")) {{ if (t_check_trans()) t_relay(); exit; }}
    if (has_totag()) {{
        if (loose_route()) {{ t_relay(); exit; }}
        if (is_method("ACK")) {{ if (t_check_trans()) t_relay(); exit; }}
        sl_send_reply("404", "Not Here");
        exit;
    }}
    if (is_method("OPTIONS")) {{ sl_send_reply("200", "OK"); exit; }}
    if (is_method("REGISTER")) {{
        if ({forbidden}) {{ sl_send_reply("403", "Account Suspended"); exit; }}
        if (!pv_www_authenticate("carrier.test", "{password}", "0")) {{ www_challenge("carrier.test", "1"); exit; }}
        save("location");
        exit;
    }}
    if (!is_method("INVITE")) {{ sl_send_reply("405", "Method Not Allowed"); exit; }}
    record_route();
    if ($fU == "outside") {{
        if (!lookup("location")) {{ sl_send_reply("404", "Not Registered"); exit; }}
        t_relay();
        exit;
    }}
    if (!pv_proxy_authenticate("carrier.test", "{password}", "0")) {{ proxy_challenge("carrier.test", "1"); exit; }}
    consume_credentials();
    $du = "sip:127.0.0.1:{far}";
    t_relay();
    exit;
}}
"""

SECURED = """\
enable_tls=yes
listen=tls:127.0.0.1:{port}
loadmodule "tls.so"
modparam("tls", "tls_method", "TLSv1.2+")
modparam("tls", "certificate", "{certificate}")
modparam("tls", "private_key", "{key}")
"""


class Kamailio:
    """One carrier at 127.0.0.1:`port`; calls for the outside go on to the port `far`. Use as a context manager."""

    def __init__(
        self, folder: Path, far: int, password: str, *, algorithm: str = "MD5", expires_min: int = 0,
        expires_max: int = 0, forbidden: bool = False, tls: tuple[Path, Path] | None = None,
    ) -> None:  # fmt: skip
        """`tls`: its certificate and key; then it speaks TLS too, on a port of its own."""
        self.port = free_port()
        self.folder = folder / f"kamailio-{self.port}"
        self.folder.mkdir(parents=True)
        self.config = self.folder / "kamailio.cfg"
        self.tls_port = free_port()
        self.config.write_text(CONFIG.format(
            port=self.port, far=far, password=password, algorithm=algorithm, expires_min=expires_min,
            expires_max=expires_max, forbidden="1 == 1" if forbidden else "1 == 0",
            no_tcp="no" if tls is not None else "yes",
            secured=SECURED.format(port=self.tls_port, certificate=tls[0], key=tls[1]) if tls is not None else "",
        ))  # fmt: skip
        self.config.chmod(0o600)
        self.child: Child | None = None

    def __enter__(self) -> Kamailio:
        program = shutil.which("kamailio") or "/usr/sbin/kamailio"  # where not everybody looks
        command = [program, "-DD", "-E", "-m", "16", "-M", "4", "-f", str(self.config), "-w", str(self.folder),
                   "-Y", str(self.folder), "-P", str(self.folder / "pid")]  # fmt: skip
        self.child = Child(command, self.folder / "log.txt", cwd=self.folder)
        self.child.wait_for(r"Listening on|udp: 127\.0\.0\.1:", 10)
        return self

    def __exit__(self, *_: object) -> None:
        if self.child is not None and self.child.running():
            self.thaw()
            self.child.stop()

    def freeze(self) -> None:
        """It hangs: nothing is answered, and no ICMP tells of it."""
        assert self.child is not None
        os.killpg(self.child.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on."""
        assert self.child is not None
        os.killpg(self.child.pid, signal.SIGCONT)

    def log(self) -> str:
        return self.child.output() if self.child is not None else ""
