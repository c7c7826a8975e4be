from __future__ import annotations

from pathlib import Path

from temperance.app.desk import Desk, to
from temperance.app.folders import Studies


def test_a_message_has_three_parts_or_one_and_is_escaped(tmp_path: Path) -> None:
    desk = Desk(Studies(tmp_path))
    three = bytes(desk.message(400, "", ["got <x>", "wanted y", "do z"]).body).decode()
    assert "got &lt;x&gt;." in three
    assert "Wanted: wanted y." in three
    assert "What to do: do z." in three
    refused = desk.refuse(404, "refused.absent")
    assert refused.status_code == 404
    assert "nothing of this name" in bytes(refused.body).decode()


def test_the_way_to_a_step_is_safe_for_any_name() -> None:
    assert to("a b/..?x", "data").headers["location"] == "/study/a%20b%2F..%3Fx/data"
