"""Load generators for any SIP server: call rate, media, bridged calls, queue calls.

They share no code with `engine/`, so that a fault of ours can't hide on both sides of the wire.

    python -m tools.load calls   --server udp:HOST:PORT --pid PID --number 9100 --rate 100 --seconds 10
    python -m tools.load media   --server udp:HOST:PORT --pid PID --number 9664 --calls 300 --seconds 20
    python -m tools.load bridges --server udp:HOST:PORT --pid PID --number 800  --calls 100 --seconds 20
    python -m tools.load queue   --server udp:HOST:PORT --pid PID --number 700  --agents 200:PASSWORD,201:PASSWORD

`wire` writes and reads messages, `endpoint` plays caller and answering phone over UDP or TCP, `plane` sends and times
RTP in one compiled loop, `account` reads a server's CPU time and memory, `shapes` are the runs, `report` prints them.
"""
