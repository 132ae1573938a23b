import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared_or_none() -> Path | None:
    """The folder of real texts that may stand beside the project; None where it is absent."""
    folder = Path(os.environ.get("MAILER_SHARED") or Path(__file__).resolve().parents[4] / "shared")
    return folder if folder.is_dir() else None
