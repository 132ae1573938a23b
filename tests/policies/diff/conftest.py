import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real texts that may stand beside the project."""
    folder = Path(os.environ.get("MAILER_SHARED") or Path(__file__).resolve().parents[4] / "shared")
    if not folder.is_dir():
        pytest.skip("no folder of shared texts beside the project; set MAILER_SHARED")
    return folder
