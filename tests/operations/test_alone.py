from pathlib import Path

import pytest

from bothways.errors import Conflict
from bothways.operations.alone import alone


def test_the_lock_is_one_processes_and_free_again_when_the_block_ends(tmp_path: Path) -> None:
    with alone(tmp_path):
        with pytest.raises(Conflict, match="runs already"), alone(tmp_path):
            pass
        # Another hub's is another lock.
        with alone(tmp_path / "other"):
            pass
    with pytest.raises(LookupError), alone(tmp_path):
        raise LookupError
    with alone(tmp_path):
        pass
