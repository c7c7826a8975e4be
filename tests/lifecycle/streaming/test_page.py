from xml.etree import ElementTree

from temperance.lifecycle.streaming.page import page, picture

DOCUMENT = {
    "metric": "accuracy", "sentence": "Best was <this>.", "limits": ["One stream."],
    "data": {"name": "a<b", "target": "y", "first": 100, "judged": 300, "delay": 10},
    "course": {"rows": [200, 300, 400], "static": [0.9, 0.5, 0.4], "adapted": [0.9, 0.7, 0.8]},
    "arms": [
        {"arm": "static", "words": "left", "value": 0.6, "retrainings": 0, "seconds": 0.0,
         "gain": {"value": 0.0, "low": 0.0, "high": 0.0}},
        {"arm": "adapted", "words": "adapted", "value": 0.8, "retrainings": 0, "seconds": 1.0,
         "gain": {"value": 0.2, "low": 0.1, "high": 0.3}},
    ],
}  # fmt: skip


def test_names_are_data_and_figures_stand_in_the_table() -> None:
    text = page(DOCUMENT)
    assert "a&lt;b" in text
    assert "<this>" not in text
    assert "80.00 %" in text
    assert "+20.00 (+10.00 to +30.00)" in text
    assert "10 rows later" in text


def test_the_picture_is_whole_and_holds_each_way() -> None:
    tree = ElementTree.fromstring(picture(DOCUMENT))
    lines = tree.findall("polyline")
    assert [line.find("title").text for line in lines] == ["static", "adapted"]
    points = [tuple(map(float, p.split(","))) for p in lines[0].get("points").split()]
    assert points[0][1] < points[2][1]  # higher accuracy stands higher


def test_a_flat_course_can_be_drawn() -> None:
    flat = {**DOCUMENT, "course": {"rows": [200], "static": [0.5]}, "metric": "rmse"}
    assert "polyline" in picture(flat)
