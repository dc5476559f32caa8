"""Streamlit's command line without the one request that it makes to the outside."""

from streamlit import net_util
from streamlit.web import cli

if __name__ == "__main__":
    # Before it refuses a page of another origin, Streamlit asks a server of Amazon for this machine's outer
    # address, and has no option against it.
    net_util.get_external_ip = net_util.get_internal_ip
    cli.main(prog_name="streamlit")
