from temperance.cli import main


def test_main_returns_the_exit_status(capsys) -> None:
    assert main(["--version"]) == 0
    assert main(["nonsense"]) == 2
    assert "nonsense" in capsys.readouterr().err
