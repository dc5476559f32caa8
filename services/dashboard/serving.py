"""Streamlit's command line without the one request that it makes to the outside."""

import signal
import sys

from streamlit import net_util
from streamlit.web import cli

from shared.settings import load_settings
from shared.storage.mirror import mirroring

if __name__ == "__main__":
    # Before it refuses a page of another origin, Streamlit asks a server of Amazon for this machine's outer
    # address, and has no option against it.
    net_util.get_external_ip = net_util.get_internal_ip
    # Once it has stopped at a signal, uvicorn raises it again; to be told to stop is no failure.
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: sys.exit(0))
    with mirroring(load_settings(), with_results=True):
        cli.main(prog_name="streamlit")
