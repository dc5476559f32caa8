"""How the dashboard is started: the `streamlit run` command, with its theme."""

import sys
from pathlib import Path
from typing import Final

from shared.settings import Settings

_APP: Final = Path(__file__).with_name("web.py")

_LIGHT: Final = {
    "primaryColor": "#0072b2",
    "backgroundColor": "#ffffff",
    "secondaryBackgroundColor": "#f4f5f7",
    "textColor": "#1f2430",
    "borderColor": "#dfe2e8",
}
_DARK: Final = {
    "primaryColor": "#2f83c9",
    "backgroundColor": "#14171c",
    "secondaryBackgroundColor": "#1d2128",
    "textColor": "#e6e8ec",
    "borderColor": "#333943",
}
_OPTIONS: Final[dict[str, str]] = {
    "server.headless": "true",
    "server.fileWatcherType": "none",
    "server.runOnSave": "false",
    # A full collection after each update would take longer than the update.
    "runner.postScriptGC": "false",
    "browser.gatherUsageStats": "false",
    "client.toolbarMode": "viewer",
    "client.showErrorDetails": "none",
    "client.showErrorLinks": "false",
    "logger.level": "warning",
    "logger.hideWelcomeMessage": "true",
    "theme.baseFontSize": "15",
    "theme.baseRadius": "0.5rem",
    "theme.headingFontWeights": "600",
}


def command(settings: Settings) -> list[str]:
    """Return the command line that serves the dashboard at the settings' address and port.

    The started process reads its other settings from the environment (`shared.settings.environment_of`).
    Nothing outside this machine is contacted: no usage statistics, no fonts or scripts from elsewhere, no
    question for its outer address (`services.dashboard.serving`). What is uploaded waits in the memory of
    this process until the page has stored it: Streamlit's end point for it gets the limit of the settings, at
    least 1 MB.
    """
    options = {
        **_OPTIONS,
        "server.address": settings.dashboard_host,
        "server.port": str(settings.dashboard_port),
        "server.maxUploadSize": str(max(1, settings.upload_mb)),
        **{f"theme.light.{name}": value for name, value in _LIGHT.items()},
        **{f"theme.dark.{name}": value for name, value in _DARK.items()},
    }
    return [
        sys.executable,
        "-m",
        "services.dashboard.serving",
        "run",
        str(_APP),
        *(f"--{name}={value}" for name, value in options.items()),
    ]
