"""What the server remembers of a visitor, and how it goes when nobody comes back for it.

Gradio lets a `gr.State` expire, but keeps the last value of every other component of a session, too, and those are
pictures here. So whole sessions are forgotten.
"""

from __future__ import annotations

import datetime
import threading
import weakref
from typing import Final

import gradio as gr

EVERY: Final = 30.0
"""Seconds between two looks at who has been away."""


def watch(demo: gr.Blocks, after: float, every: float = EVERY) -> threading.Event:
    """Forgets, until the page itself is gone, every session that was not used for `after` seconds.

    Returns:
        An event that ends the watch when it is set.
    """
    stop, page = threading.Event(), weakref.ref(demo)

    def look() -> None:
        while not stop.wait(every):
            here = page()
            if here is None:
                return
            forget_idle(here, after)
            del here  # or it would never go

    threading.Thread(target=look, name="forget-sessions", daemon=True).start()
    return stop


def forget_idle(demo: gr.Blocks, after: float) -> None:
    """Forgets the sessions that were not used for `after` seconds."""
    holder = getattr(demo, "state_holder", None)  # it comes with the app that the page is mounted on
    if holder is None:
        return
    oldest = datetime.datetime.now() - datetime.timedelta(seconds=after)
    for session, used in list(holder.time_last_used.items()):
        if used < oldest:
            forget(demo, session)


def forget(demo: gr.Blocks, session: str) -> None:
    """Forgets one session: its state, and what its page last showed."""
    demo.state_holder.session_data.pop(session, None)
    demo.state_holder.time_last_used.pop(session, None)
