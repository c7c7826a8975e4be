from temperance.records.citation import Citation


def test_it_reads_like_a_reference() -> None:
    one = Citation("srivastava2014", "Srivastava et al.", 2014, "Dropout", "JMLR 15", section="4")
    assert str(one) == "Srivastava et al. (2014). Dropout. JMLR 15, 4."
    assert str(Citation("k", "A", 2020, "T", arxiv="2001.00001")) == "A (2020). T. arXiv:2001.00001."
    assert str(Citation("k", "A", 2020, "T")) == "A (2020). T."


def test_they_sort_by_key_and_become_json() -> None:
    first, second = Citation("a", "Z", 2020, "T"), Citation("b", "A", 1999, "T")
    assert sorted([second, first]) == [first, second]
    assert Citation(**first.to_dict()) == first
