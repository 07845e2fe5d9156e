import pytest

from kantor.system import atomic


def test_an_output_is_there_whole_or_not_at_all(tmp_path):
    path = tmp_path / "reports" / "figures.csv"
    with atomic.output(path) as fresh:
        fresh.write_text("old")
        assert not path.exists()
    with pytest.raises(RuntimeError), atomic.output(path) as fresh:
        fresh.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert [p.name for p in path.parent.iterdir()] == ["figures.csv"]


def test_a_block_that_makes_nothing_loses_nothing(tmp_path):
    (tmp_path / "samples").mkdir()
    (tmp_path / "samples/old").touch()
    with pytest.raises(FileNotFoundError), atomic.output(tmp_path / "samples"):
        pass
    assert (tmp_path / "samples/old").exists()


def test_what_a_killed_process_left_is_cleared_away(tmp_path):
    (tmp_path / ".samples.x.partial").mkdir()
    with atomic.output(tmp_path / "samples") as fresh:
        fresh.touch()
    assert [p.name for p in tmp_path.iterdir()] == ["samples"]


def test_a_folder_takes_the_place_of_the_one_before(tmp_path):
    path = tmp_path / "samples"
    for name in ("first", "second"):
        with atomic.output(path) as fresh:
            fresh.mkdir()
            (fresh / name).touch()
    assert [p.name for p in path.iterdir()] == ["second"]
    assert [p.name for p in tmp_path.iterdir()] == ["samples"]
