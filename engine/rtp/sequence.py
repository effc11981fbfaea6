"""Serial arithmetic of RTP: 16-bit sequence numbers and 32-bit timestamps that wrap (RFC 3550 §5.1, RFC 1982)."""

from __future__ import annotations

from engine.jit import kernel


@kernel
def ahead16(later: int, earlier: int) -> int:
    """How far sequence number `later` lies ahead of `earlier`: -32768 … 32767, negative when it lies behind."""
    return ((later - earlier + 0x8000) & 0xFFFF) - 0x8000


@kernel
def ahead32(later: int, earlier: int) -> int:
    """How far timestamp `later` lies ahead of `earlier`: -2**31 … 2**31 - 1 samples."""
    return ((later - earlier + 0x80000000) & 0xFFFFFFFF) - 0x80000000
