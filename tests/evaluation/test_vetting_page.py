from dataclasses import replace

from tests.evaluation.aspects.conftest import knowing, subject_of

from temperance.evaluation.metrics.registry import metric
from temperance.evaluation.requirements import judge, parse
from temperance.evaluation.versus import versus
from temperance.evaluation.vetting import vet
from temperance.evaluation.vetting_page import page, versus_page
from temperance.records.measurement import Measurement


def test_every_figure_stands_there_with_its_convention(binary) -> None:
    how = metric("accuracy").convention
    record = {"accuracy": Measurement("accuracy", 0.99, 0.98, 0.995, 2000, convention=how)}
    subject = replace(knowing(binary, range(100)), name="a|b <script>", record=record)
    done = vet(subject, binary[0])
    verdicts = judge(parse("accuracy>=0.99,ece<=0.9"), done.figures)
    text = page(done, data="march.csv", notes=("Read | so.",), verdicts=verdicts)
    assert "# a\\|b &lt;script&gt; on march.csv" in text
    assert "<script>" not in text
    for name in done.figures:
        assert f"| {name} |" in text
    assert "**not met**" in text
    assert "## Against its own record" in text
    assert "worse |" in text
    assert "## Strange rows (OOD)" in text
    assert "100 of 1,000 rows are rows that the model learned from" in text


def test_a_comparison(binary) -> None:
    table, model = binary
    one = subject_of(table, model)
    text = versus_page(versus(one, one, (table, table)), data="march.csv")
    assert "| accuracy |" in text
    assert "equivalent |" in text
