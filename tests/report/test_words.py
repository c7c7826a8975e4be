from __future__ import annotations

import re
from pathlib import Path

import pytest
from markupsafe import Markup

import temperance.report
from temperance.records.errors import SettingError
from temperance.report.words import Words, check_language, languages

ROOM = Path(temperance.report.__file__).parent
CATALOGUE = Words().catalogue
GROUPS = sorted({key.split(".")[0] for key in CATALOGUE})
DYNAMIC = (
    "side.",
    "state.",
    "role.",
    "status.",
    "station.",
    "word.",
    "annex.",
    "metric.",
    "damage.",
    "kind.",
    "better.",
    "moved.",
)
FILLS = {"{target}": "price", "{bundle}": "bundle", "{unit}": "points", "{metric}": "error"}


def plain(text: str) -> str:
    """Return a text as it is read: places filled, marks removed."""
    for place, word in FILLS.items():
        text = text.replace(place, word)
    return re.sub(r"\{\w+\}", "12", re.sub(r"<[^>]+>", "", text))


def sentences(text: str) -> list[str]:
    return [s for s in re.split(r"(?<=[.!?:])\s+", text.strip()) if re.search(r"[a-z]", s)]


def syllables(word: str) -> int:
    word = re.sub(r"[^a-z]", "", word.lower())
    count = len(re.findall(r"[aeiouy]+", word))
    silent = (word.endswith("e") and not word.endswith(("le", "ee"))) or re.search(r"[^aeiouytd]ed$", word) is not None
    return max(1, count - bool(silent))


def grade(parts: list[str]) -> float:
    """Return the Flesch-Kincaid grade of sentences."""
    words = [w for part in parts for w in re.findall(r"[A-Za-z’'-]+", part)]
    return 0.39 * len(words) / len(parts) + 11.8 * sum(map(syllables, words)) / len(words) - 15.59


def read(group: str) -> list[str]:
    texts = [plain(text) for key, text in CATALOGUE.items() if key.split(".")[0] == group]
    return [s for text in texts for s in sentences(text) if len(s.split()) >= 5]


def test_the_measure_of_reading_is_sound() -> None:
    assert grade(["The cat sat on the mat."]) < 1
    assert (
        grade(
            ["Notwithstanding considerable methodological heterogeneity, investigators demonstrated generalizability."]
        )
        > 15
    )


@pytest.mark.parametrize("group", [g for g in GROUPS if len(read(g)) >= 4])
def test_each_section_reads_at_grade_9_or_below(group: str) -> None:
    assert grade(read(group)) <= 9


def test_the_whole_reads_at_grade_9_or_below_in_short_sentences() -> None:
    every = [s for group in GROUPS for s in read(group)]
    assert grade(every) <= 9
    lengths = [len(s.split()) for s in every]
    assert sum(lengths) / len(lengths) <= 20
    assert max(lengths) <= 30


def test_every_key_in_the_code_is_in_the_catalogue() -> None:
    sources = [*ROOM.rglob("*.py"), *ROOM.rglob("*.j2")]
    used = {key for source in sources for key in re.findall(r"say\(\s*\"([\w.]+)\"[,)]", source.read_text())}
    assert len(used) > 100
    assert used <= set(CATALOGUE)


def test_no_text_is_left_over() -> None:
    code = "".join(source.read_text() for source in [*ROOM.rglob("*.py"), *ROOM.rglob("*.j2")])
    stems = set(re.findall(r"[\"']([\w.]+\.)[\"{]", code)) | set(DYNAMIC)
    loose = [
        key
        for key in CATALOGUE
        if f'"{key}"' not in code
        and f'"{key.removesuffix(".one").removesuffix(".bare")}"' not in code
        and not key.endswith((".title", ".why", ".means"))
        and not any(key.startswith(stem) for stem in stems)
    ]
    assert loose == []


def test_what_is_put_in_is_escaped_and_markup_is_kept() -> None:
    words = Words()
    assert "&lt;script&gt;" in words.say("page.h1", target="<script>")
    assert "<b>x</b>" in words.say("page.h1", target=Markup("<b>x</b>"))


def test_one_has_its_own_text() -> None:
    assert "1 more is" in Words().say("more", count=1)
    assert "2 more are" in Words().say("more", count=2)


def test_an_unknown_key_is_an_error() -> None:
    assert not Words().knows("nothing")
    with pytest.raises(KeyError):
        Words().say("nothing")


def test_every_plain_one_has_its_many() -> None:
    assert all(key.removesuffix(".one") in CATALOGUE for key in CATALOGUE if key.endswith(".one"))


# ---- other languages


def test_every_language_has_the_same_keys_places_and_marks() -> None:
    assert languages() == ["de", "en"]
    for language in languages():
        other = Words(language).catalogue
        assert set(other) == set(CATALOGUE)
        for key, text in CATALOGUE.items():
            assert set(re.findall(r"\{\w+\}", other[key])) == set(re.findall(r"\{\w+\}", text)), key
            assert sorted(re.findall(r"</?\w+", other[key])) == sorted(re.findall(r"</?\w+", text)), key
        assert len(Words(language).style.months) == 12


def test_no_text_was_left_in_english() -> None:
    """What stands alike in both is a name, a place or a mark, or a word that both languages have."""
    german = Words("de").catalogue
    alike = {re.sub(r"<[^>]+>|\{\w+\}", "", text) for key, text in german.items() if text == CATALOGUE[key]}
    words = {word for text in alike for word in re.findall(r"[A-Za-z]{3,}", text)}
    assert words <= {"ROC", "AUC", "Gradient", "Boosting", "boosting", "Ensemble", "Name", "Station"}


def test_an_unknown_language_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(SettingError, match="one of de, en"):
        check_language("klingon")
    check_language("de")
