"""Transition tables of the agent, the entry and the offer (DESIGN law 3), as integer arrays.

Each machine is written below as readable rows `(states, inputs, next, actions, reason)`; words separated by blanks
stand for several rows. `compile_rows` turns them into two arrays indexed [state, input]: the next state and a bit
mask of actions. Production reads them from Python, a simulator may run an njit loop over the same arrays. A pair
that is missing or written twice is an error when this module is imported, so every table is total.

Three next states of the agent are questions instead of states: `home` (where he belongs when nothing of ours keeps
him: see `agents.home`), `wrap` (wrap-up if the queue or he has one, else home) and `leave` (home, but he stays in a
wrap-up that isn't his to end).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
SkillArray = npt.NDArray[np.int8]
Row = tuple[str, str, str, str, str]

# --- actions: bits ------------------------------------------------------------------------------------
FAULT = 1  # can't happen while the invariants hold: a Breach is reported, the state is healed by `next`
WISH = 2  # remember what the agent asked for; it takes effect when he comes home
CANCEL = 4  # withdraw the offers that ring for this agent or entry
IDLE = 8  # idle time begins anew: a conversation or its wrap-up is over, or he has logged in
UNREST = 16  # he is back: forget the rest after a miss and the count of misses
RELEASE = 32  # the agent of this conversation is set free (wrap-up)
TIMEOUT = 64  # tell the owner that the caller has waited for too long
TELL = 128  # answer the owner by CancelOffer: this answer came too late
HERE = 256  # the caller who was away is on the line: his conversation begins, and counts, now

ACTIONS = {
    "fault": FAULT, "wish": WISH, "cancel": CANCEL, "idle": IDLE, "unrest": UNREST, "release": RELEASE,
    "timeout": TIMEOUT, "tell": TELL, "here": HERE,
}  # fmt: skip

# --- agent --------------------------------------------------------------------------------------------
AGENT_STATES = ("logged_out", "ready", "alerting", "talking", "wrap_up", "not_ready", "resting", "occupied")
LOGGED_OUT, READY, ALERTING, TALKING, WRAP_UP, NOT_READY, RESTING, OCCUPIED = range(8)
HOME, WRAP, LEAVE = 8, 9, 10
AGENT_IDLE = (LOGGED_OUT, READY, NOT_READY)  # nothing is under way, nobody waits for an end: no deadline

AGENT_INPUTS = (
    "login", "login_paused", "logout", "pause", "resume", "offer", "connect", "miss", "withdraw", "end",
    "occupy", "free", "review", "deadline", "pick",
)  # fmt: skip
LOGIN, LOGIN_PAUSED, LOGOUT, PAUSE, RESUME, OFFER, CONNECT, MISS, WITHDRAW, END = range(10)
OCCUPY, FREE, REVIEW, DEADLINE, PICK = range(10, 15)

AGENT_ROWS: tuple[Row, ...] = (
    ("logged_out", "login login_paused", "home", "wish idle unrest", "his place in the line begins at login"),
    ("logged_out", "logout pause resume", "logged_out", "", "not here: nothing to leave or to pause"),
    ("logged_out", "occupy free", "logged_out", "", "the other call is noted beside the state, for a login"),
    ("logged_out", "review", "home", "", "a removed agent leaves the columns"),
    ("ready", "login resume", "ready", "", "already ready: a second login doesn't touch the idle time"),
    ("ready", "login_paused pause logout", "home", "wish", "nothing holds him: at once"),
    ("ready", "offer", "alerting", "", "the only state that is offered a call"),
    ("ready", "occupy review", "home", "", "an other call or a reload may take him out of the line"),
    ("ready", "free", "ready", "", "a late word about a call that had not occupied him"),
    ("alerting", "login resume", "alerting", "wish", "he is available already"),
    ("alerting", "login_paused pause logout", "home", "wish cancel", "he asked to go: no caller waits for him"),
    ("alerting", "occupy", "home", "cancel", "he took an other call: his phone can't take ours"),
    ("alerting", "connect", "talking", "", "his offer won"),
    ("alerting", "miss withdraw", "home", "", "his offer ended without him; rest and misses were set before"),
    ("alerting", "free review", "alerting", "", "a removed agent may still answer what rings"),
    ("alerting", "deadline", "home", "cancel fault", "his offer has its own, earlier deadline"),
    ("talking", "login login_paused logout pause resume", "talking", "wish", "takes effect when the call ends"),
    ("talking", "end", "wrap", "idle", "the conversation is over"),
    ("talking", "occupy free review", "talking", "", "noted beside the state: a consultation, a reload"),
    ("talking", "deadline", "wrap", "idle fault", "the entry's own, earlier deadline ends the conversation"),
    ("wrap_up", "login resume login_paused pause", "leave", "wish", "he ends his wrap-up himself, where he may"),
    ("wrap_up", "logout", "home", "wish idle", "who goes home isn't kept"),
    ("wrap_up", "occupy free review", "wrap_up", "", "wrap-up goes on beside an other call"),
    ("wrap_up", "deadline", "home", "idle", "wrap-up is over"),
    ("not_ready", "login resume", "home", "wish unrest", "back from his pause"),
    ("not_ready", "login_paused pause", "not_ready", "wish", "only the reason changes"),
    ("not_ready", "logout", "home", "wish", "at once"),
    ("not_ready", "occupy free", "not_ready", "", "noted beside the state"),
    ("not_ready", "review", "home", "", "a removed agent leaves"),
    ("resting", "login resume", "home", "wish unrest", "he says that he is there"),
    ("resting", "login_paused pause logout", "home", "wish", "at once"),
    ("resting", "occupy review deadline", "home", "", "rest is over, or something stronger holds him"),
    ("resting", "free", "resting", "", "the rest lasts"),
    ("occupied", "login resume", "home", "wish unrest", "still on his other call, so he stays"),
    ("occupied", "login_paused pause logout", "home", "wish", "at once"),
    ("occupied", "occupy", "occupied", "", "a second other call"),
    ("occupied", "free deadline", "home", "idle", "the other call is over, or its end was never told"),
    ("occupied", "review", "home", "", "a reload may have given him a second line"),
    # he takes a caller out of a queue himself (picks him up): nothing was offered to him
    ("ready not_ready occupied", "pick", "talking", "", "his own choice, whatever he was at; his wish stands"),
    ("resting", "pick", "talking", "unrest", "he is there, so the rest after a miss is over"),
    ("wrap_up", "pick", "talking", "", "the next conversation ends this wrap-up"),
    ("alerting", "pick", "talking", "cancel", "what rings for him goes to somebody else, and he hasn't missed it"),
    ("logged_out", "pick", "logged_out", "", "not on duty: what he takes is none of the distributor's"),
    ("talking", "pick", "talking", "", "never one agent on two calls: the second is none of the distributor's"),
    # what the distributor does to an agent only in one state
    ("logged_out not_ready resting occupied", "offer", "home", "fault", "only a ready agent is offered a call"),
    ("alerting talking wrap_up", "offer", "home", "cancel fault", "only a ready agent is offered a call"),
    ("logged_out ready wrap_up not_ready resting occupied", "connect", "home", "fault", "he had no offer to win"),
    ("talking", "connect", "talking", "fault", "never one agent on two calls"),
    ("logged_out ready wrap_up not_ready resting occupied", "miss withdraw", "home", "fault", "no offer to lose"),
    ("talking", "miss withdraw", "talking", "fault", "he had no offer to lose"),
    ("logged_out ready wrap_up not_ready resting occupied", "end", "home", "fault", "he was in no conversation"),
    ("alerting", "end", "home", "cancel fault", "he was in no conversation"),
    ("logged_out ready not_ready", "deadline", "home", "fault", "idle states have no deadline"),
)

# --- entry --------------------------------------------------------------------------------------------
# absent: the caller isn't on the line, his place is kept; recalled: an agent was put aside for him and he is rung up
ENTRY_STATES = ("ended", "waiting", "alerting", "connected", "absent", "recalled")
E_ENDED, E_WAITING, E_ALERTING, E_CONNECTED, E_ABSENT, E_RECALLED = range(6)

ENTRY_INPUTS = (
    "join", "offer", "lost", "all_lost", "connect", "leave", "end", "deadline", "away", "turn", "recall", "here",
    "pick",
)  # fmt: skip
E_JOIN, E_OFFER, E_LOST, E_ALL_LOST, E_CONNECT, E_LEAVE, E_END, E_DEADLINE, E_AWAY, E_TURN, E_RECALL, E_HERE = range(12)
E_PICK = 12

ENTRY_ROWS: tuple[Row, ...] = (
    ("ended", "join", "waiting", "", "the row is taken for a caller"),
    ("ended", "leave end", "ended", "", "late: he is gone"),
    ("ended", "offer lost all_lost connect deadline", "ended", "fault", "a free row holds nobody"),
    ("waiting", "offer", "alerting", "", "an agent's phone rings for him"),
    ("waiting", "leave", "ended", "", "abandoned, or the dialplan goes on"),
    ("waiting", "end", "waiting", "", "late word about an earlier conversation"),
    ("waiting", "deadline", "ended", "timeout", "waited for too long"),
    ("waiting", "lost all_lost connect", "waiting", "fault", "nothing rings for him"),
    ("alerting", "offer lost", "alerting", "", "ring-all: one more, or one less"),
    ("alerting", "all_lost", "waiting", "", "he keeps his place; a wait limit that has passed is honoured now"),
    ("alerting", "connect", "connected", "cancel", "the first answer wins, the other phones stop"),
    ("alerting", "leave", "ended", "cancel", "he is gone: the phones stop"),
    ("alerting", "end", "alerting", "", "late word about an earlier conversation"),
    ("alerting", "deadline", "waiting", "cancel fault", "each offer has its own, earlier deadline"),
    ("connected", "leave end", "ended", "release", "either side hung up, or the call went elsewhere"),
    ("connected", "deadline", "ended", "release fault", "no conversation outlives call_ms_max: its end was lost"),
    ("connected", "offer lost all_lost connect", "connected", "fault", "never two connected agents for one call"),
    ("waiting alerting connected absent recalled", "join", "ended", "fault", "a row in use isn't given away"),
    # an agent takes him out of the queue himself
    ("waiting", "pick", "connected", "", "past the line, and past whoever is idle"),
    ("alerting", "pick", "connected", "cancel", "past the phones that ring for him, which stop"),
    ("connected", "pick", "connected", "", "too late: somebody has him"),
    ("ended", "pick", "ended", "", "late: he is gone"),
    ("absent", "pick", "absent", "", "he isn't on the line"),
    ("recalled", "pick", "recalled", "", "he isn't on the line yet"),
    # places that are kept for callers who aren't on the line
    ("ended", "away here", "ended", "", "late: he is gone"),
    ("ended", "turn recall", "ended", "fault", "a free row holds nobody"),
    ("waiting", "away", "absent", "", "he hung up or stepped out: his place in the order stays"),
    ("waiting", "here", "waiting", "", "he is there already"),
    ("waiting", "turn recall", "waiting", "fault", "only an absent caller's turn can come"),
    ("alerting", "away", "absent", "cancel", "the phones stop, his place stays"),
    ("alerting", "here", "alerting", "", "he is there already"),
    ("alerting", "turn recall", "alerting", "fault", "only an absent caller's turn can come"),
    ("connected", "away", "absent", "release", "the agent was there and he wasn't: back to his place"),
    ("connected", "here", "connected", "here", "the agent was first, now both are there"),
    ("connected", "turn recall", "connected", "fault", "only an absent caller's turn can come"),
    ("absent", "offer lost all_lost connect", "absent", "fault", "nothing rings for who isn't there"),
    ("absent", "leave", "ended", "", "cancelled, or out of attempts"),
    ("absent", "end", "absent", "", "late word about an earlier conversation"),
    ("absent", "deadline", "ended", "timeout", "his place was kept for as long as was promised"),
    ("absent", "away", "absent", "", "another pause begins"),
    ("absent", "turn", "waiting", "", "agent first: an agent may be asked now"),
    ("absent", "recall", "recalled", "", "customer first: an agent is put aside, he is rung up"),
    ("absent", "here", "waiting", "", "he came back himself"),
    ("recalled", "offer lost all_lost connect", "recalled", "fault", "no agent is asked before he is there"),
    ("recalled", "leave", "ended", "", "cancelled while his phone rang"),
    ("recalled", "end", "recalled", "", "late word about an earlier conversation"),
    ("recalled", "away", "absent", "", "not reached: he keeps his place, the agent is free"),
    ("recalled", "here", "waiting", "", "reached: he waits on the line at his old place"),
    ("recalled", "turn recall", "recalled", "fault", "never two calls to one caller"),
    ("recalled", "deadline", "absent", "fault", "the owner's own, earlier deadlines end the ringing"),
)

# --- offer --------------------------------------------------------------------------------------------
OFFER_STATES = ("free", "ringing", "won", "closed")
O_FREE, O_RINGING, O_WON, O_CLOSED = range(4)

OFFER_INPUTS = ("answer", "fail", "withdraw", "end", "deadline")
O_ANSWER, O_FAIL, O_WITHDRAW, O_END, O_DEADLINE = range(5)

OFFER_ROWS: tuple[Row, ...] = (
    ("ringing", "answer", "won", "", "first answer"),
    ("ringing", "fail withdraw deadline", "closed", "", "ended without a conversation"),
    ("ringing", "end", "closed", "fault", "no conversation without an answer"),
    ("won", "answer", "won", "", "the same answer twice"),
    ("won", "fail", "won", "", "a late failure of an answered offer: the end of the call tells"),
    ("won", "end", "closed", "", "the conversation is over"),
    ("won", "withdraw deadline", "won", "fault", "a won offer ends with its conversation"),
    ("closed", "answer", "closed", "tell", "too late: the owner must hang this phone up"),
    ("closed", "fail withdraw end", "closed", "", "late, and nothing is left to do"),
    ("closed free", "deadline", "free", "", "rows of closed offers are taken again, without an event"),
    ("free", "answer", "free", "tell", "an id that nobody knows any more"),
    ("free", "fail withdraw end", "free", "", "an id that nobody knows any more"),
)


def compile_rows(
    rows: tuple[Row, ...], states: tuple[str, ...], inputs: tuple[str, ...], questions: tuple[str, ...] = ()
) -> tuple[IntArray, IntArray]:
    """(next, actions), each of shape (len(states), len(inputs)). ValueError names a pair that is missing or doubled."""
    following = np.full((len(states), len(inputs)), -1, dtype=np.int64)
    actions = np.zeros_like(following)
    goals = states + questions
    for row_states, row_inputs, goal, words, reason in rows:
        if not reason:
            raise ValueError(f"{row_states} / {row_inputs}: a row without a reason")
        mask = sum(ACTIONS[word] for word in words.split())
        for state in row_states.split():
            for given in row_inputs.split():
                at = (states.index(state), inputs.index(given))
                if following[at] != -1:
                    raise ValueError(f"{state} / {given}: written twice")
                following[at] = goals.index(goal)
                actions[at] = mask
    for at in zip(*np.where(following == -1), strict=True):
        raise ValueError(f"{states[at[0]]} / {inputs[at[1]]}: missing")
    following.setflags(write=False)
    actions.setflags(write=False)
    return following, actions


AGENT_NEXT, AGENT_ACTIONS = compile_rows(AGENT_ROWS, AGENT_STATES, AGENT_INPUTS, ("home", "wrap", "leave"))
ENTRY_NEXT, ENTRY_ACTIONS = compile_rows(ENTRY_ROWS, ENTRY_STATES, ENTRY_INPUTS)
OFFER_NEXT, OFFER_ACTIONS = compile_rows(OFFER_ROWS, OFFER_STATES, OFFER_INPUTS)
