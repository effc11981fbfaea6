"""Every limit by name, units last (DESIGN law 7). A site may lower most of them; nothing is unlimited.

Rooms read limits from here; kernels get them as arguments (numba bakes globals into its cache).
"""

from __future__ import annotations

# --- SIP (RFC 3261 §17, §18) ------------------------------------------------------------------
T1_MS = 500
T2_MS = 4_000
T4_MS = 5_000
TIMER_B_MS = 64 * T1_MS
TIMER_D_MS = 32_000
message_bytes_max = 65_535
header_lines_max = 256
header_line_bytes_max = 16_384
datagram_bytes_max = 65_507
transactions_max = 40_000
dialogs_max = 20_000
bindings_per_user_max = 10
register_expires_s_min = 60
register_expires_s_default = 300
register_expires_s_max = 3_600
nonce_ms_max = 300_000
session_expires_s_min = 90
session_expires_s_default = 1_800
flows_max = 4_096
flow_idle_ms_max = 7_200_000
stream_message_ms_max = 32_000
qualify_ms = 60_000
qualify_answer_ms_max = 4_000
log_lines_per_second_max = 20  # of one kind
log_lines_total_per_second_max = 200

# --- media -------------------------------------------------------------------------------------
legs_max = 4_096
rtp_port_first = 16_384
rtp_port_last = 32_766
port_rest_ms = 60_000
packet_bytes_max = 1_500
frame_ms = 20
media_missing_ms = 3_000
media_probe_ms = 15_000
held_probe_ms = 60_000
unconfirmed_send_ms_max = 5_000
relatch_silent_ms = 500
clips_max = 16_384
own_clips_max = 64  # of them, for recordings that are played to a phone
taps_max = 256
ears_max = 256
mouths_max = 64
mixes_max = 128
mix_legs_max = 8  # seats of a mix: a command record holds no more
digits_buffered_max = 64

# --- calls -------------------------------------------------------------------------------------
calls_max = 4_000
ring_ms_max = 180_000
confirm_ms_max = 60_000  # for an agent who was dialled outside to press the key that takes the call
dial_targets_max = 16
steps_without_input_max = 1_000
lookup_ms_min, lookup_ms_default, lookup_ms_max = 100, 2_000, 10_000
lookup_grace_ms = 1_000  # beyond its timeout, until the engine stops waiting for its own runtime
lookup_busy_ms = 700  # before a caller is told that it takes a moment
utterance_ms_max = 15_000  # of one sentence of a caller's
speech_pause_ms = 1_000  # inside a sentence that may go on
speech_grace_ms = 3_000  # beyond an utterance's longest time, until a recogniser's silence counts as its failure
speech_told_ms = 700  # after "Billing." to say no
lookup_bytes_max = 131_072  # of an answer: decoding more would hold every call up
lookup_cache_ms_max = 3_600_000
lookup_cache_entries_max = 1_000
lookups_under_way_max = 256
fetch_ms_default, fetch_ms_max = 3_000, 10_000  # of a recording elsewhere, decoded and ready to be heard
fetch_bytes_max = 10_000_000  # of such a recording …
fetch_sound_ms_max = 300_000  # … and how long it may last
fetch_cache_ms_max = 3_600_000
fetch_cache_bytes_max = 64_000_000  # of memory, in both laws
fetches_under_way_max = 16
stream_connect_ms_default, stream_connect_ms_max = 5_000, 15_000  # until a bot has taken the call
stream_ms_default, stream_ms_max = 1_800_000, 14_400_000  # that it has a caller
stream_drain_ms_max = 15_000  # after its last word: what it has said already is heard out
stream_message_bytes_max = 1_000_000  # of one of its messages: 90 s of sound
stream_messages_s_max = 400  # a second, on the average: what comes faster waits in the network
stream_ahead_ms_max = 120_000  # of sound that waits to be heard; beyond, the network waits
stream_marks_max = 1_000  # that wait to be reached
stream_behind_ms_max = 2_000  # of the caller's sound that a slow bot has not taken: beyond, it is dropped
stream_stall_ms_max = 10_000  # without a byte taken, or an answer to a ping: it is gone
stream_values_max = 32  # that it may have found out
streams_under_way_max = 64
shown_values_max = 16
shown_characters_max = 120  # of one value
forwards_max = 70
call_ms_max = 14_400_000
early_ms_max = 180_000
hangup_grace_ms = 5_000
drain_ms_default = 900_000  # how long a drain waits for the calls in progress, where the site says nothing
drain_ms_max = 14_400_000  # … and at most: no call is longer (call_ms_max)
drain_farewell_ms_max = 5_000  # after the last call: for the answers to our BYEs

# --- distribution ------------------------------------------------------------------------------
agents_max = 16_384
entries_max = 16_384
queues_max = 1_024
offer_ms_default = 20_000
offers_parallel_max = 64
wrap_up_ms_max = 3_600_000
queue_wait_ms_max = 14_400_000
callback_ms_max = 604_800_000  # no callback stays open longer
callback_ring_ms_max = 300_000  # ringing a caller back, with his answer by key
callbacks_max = 4_096  # open ones of the whole engine
kept_places_max = 10_000
needs_max = 8  # skills that one caller asks for at once
needs_steps_max = 8
rings_max = 6
policy_expressions_max = 4  # expressions of a site's own policy
policy_nodes_max = 64  # of each of them
message_ms_max = 600_000  # one message in a box
box_messages_max = 10_000
messages_max = 50_000  # of the whole engine
overflow_hops_max = 8  # queues that rules may send one caller through in one stay

# --- records and operators -----------------------------------------------------------------------
batch_ms_max = 200
spool_events_max = 200_000
operator_reply_bytes_max = 4_000_000
tail_lines_buffered_max = 2_000
journal_bytes_max = 512_000_000
checkpoint_inputs_max = 2_500  # a restart replays at most this many
resume_ms_max = 600_000  # after a longer absence calls are ended instead of continued
scrape_connections_max = 32
scrape_request_bytes_max = 16_384
scrape_request_ms_max = 5_000
scrape_idle_ms_max = 60_000
scrape_send_ms_max = 10_000
