"""Which tests `make check` runs."""

from pathlib import Path

from tests.touched import near


def _made(root: Path, file: str, text: str = "") -> str:
    (root / file).parent.mkdir(parents=True, exist_ok=True)
    (root / file).write_text(text)
    return file


def test_tests_that_import_what_changed_are_near_and_those_below_a_conftest_that_changed(tmp_path: Path) -> None:
    changed = _made(tmp_path, "collectors/pulse.py")
    own = _made(tmp_path, "tests/collectors/test_pulse.py", "from collectors.pulse import Pulse\n")
    _made(tmp_path, "tests/collectors/test_feed.py", "from collectors import feed\n")
    by_room = _made(tmp_path, "tests/pipelines/test_other.py", "from collectors import pulse\n")
    assert near([changed], tmp_path) == [own, by_room]
    below = _made(tmp_path, "tests/pipelines/plots/test_picture.py")
    conftest = _made(tmp_path, "tests/pipelines/conftest.py")
    assert near([conftest], tmp_path) == [below, by_room]
    assert near([own, "README.md"], tmp_path) == [own]
    _made(tmp_path, "tests/walk/test_demo.py", "import collectors.pulse\n")
    assert near([changed], tmp_path) == [own, by_room]
