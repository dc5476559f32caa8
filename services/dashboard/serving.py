"""Streamlit's command line without its one request to the outside, and with an end to its goodbye."""

import signal
import sys
from functools import partial
from typing import Final

import uvicorn
from streamlit import net_util
from streamlit.web import cli

from shared.settings import load_settings
from shared.storage.mirror import mirroring

_GOODBYE_S: Final = 3
"""How long the server waits for those who still fetch something once it is told to stop, in seconds."""

if __name__ == "__main__":
    # Before it refuses a page of another origin, Streamlit asks a server of Amazon for this machine's outer
    # address, and has no option against it.
    net_util.get_external_ip = net_util.get_internal_ip
    # A player that has paused fetches its clip for as long as the page is open, and Streamlit has no option
    # for how long to wait for it.
    uvicorn.Config = partial(uvicorn.Config, timeout_graceful_shutdown=_GOODBYE_S)  # type: ignore[assignment, misc]
    # Once it has stopped at a signal, uvicorn raises it again; to be told to stop is no failure.
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: sys.exit(0))
    with mirroring(load_settings(), with_results=True):
        cli.main(prog_name="streamlit")
