from typing import get_args

from temperance.cli import options


def test_each_shared_option_has_help() -> None:
    shared = [value for name, value in vars(options).items() if name[0].isupper() and get_args(value)]
    found = [get_args(value)[1] for value in shared]
    assert len(found) >= 12
    assert all(one.help for one in found)
