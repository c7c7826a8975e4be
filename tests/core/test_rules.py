import warnings
from itertools import combinations

import pytest
import torch

import temperance
from temperance import EMA, SWA, Dropout, LabelSmoothing, MixUp, Recipe
from temperance.core.regularizer import techniques
from temperance.core.rules import Rule, meetings, refuse
from temperance.records.errors import RecipeError, SettingError
from temperance.testing.problems import PROBLEMS
from temperance.testing.training import attach


def test_a_rule_meets_by_role_and_each_pair_once():
    found = meetings((EMA(), SWA()))
    assert len(found) == 1
    assert {found[0].first, found[0].second} == {"EMA", "SWA"}
    assert found[0].rule.verdict == "refuse"
    assert str(found[0]).endswith("Keep one of them.")


def test_a_rule_meets_by_class_name():
    class Shy(Dropout):
        rules = (Rule("MixUp", "warn", "it is shy", "Leave it alone"),)

    assert [m.second for m in meetings((Shy(0.1), MixUp()))] == ["MixUp"]
    assert meetings((Shy(0.1), EMA())) == []


def test_refusal_names_both():
    with pytest.raises(RecipeError, match="EMA and SWA"):
        refuse((EMA(), Dropout(), SWA()))
    refuse((EMA(), Dropout(), LabelSmoothing()))


def test_rules_of_every_technique_name_something_that_exists():
    known = set(techniques) | {role for _, cls in techniques.items() for role in cls.roles}
    for name, cls in techniques.items():
        for rule in cls.rules:
            assert rule.meets in known, (name, rule)
            assert not rule.why.endswith(".")
            assert not rule.remedy.endswith(".")


SAMPLES = {name: next(iter(cls.samples())) for name, cls in techniques.items()}
PAIRS = [pytest.param(one, two, id=f"{one}-{two}") for one, two in combinations(SAMPLES, 2)]

# What must hold whoever writes the rules: first, second, verdict, a word of the reason.
KNOWN = [
    ("LabelSmoothing", "MaxSup", "refuse", "softened twice"),
    ("LabelSmoothing", "OnlineLabelSmoothing", "refuse", "softened twice"),
    ("LabelSmoothing", "ConfidencePenalty", "refuse", "twice"),
    ("Focal", "LabelSmoothing", "refuse", "which loss"),
    ("WeightDecay", "CautiousDecay", "refuse", "two decays"),
    ("WeightDecay", "AWD", "refuse", "two decays"),
    ("WeightDecay", "L2", "warn", "shrink"),
    ("CPR", "MaxNorm", "refuse", "norm of a matrix"),
    ("WeightDecay", "SpectralNorm", "warn", "size of the weights"),
    ("MixUp", "CutMix", "refuse", "mixed once"),
    ("MixUp", "LabelSmoothing", "warn", "certainty"),
    ("MixUp", "AdaFocal", "refuse", "one label"),
    ("MixUp", "EarlyLearning", "refuse", "a blend is two"),
    ("MixUp", "OnlineLabelSmoothing", "refuse", "whole examples"),
    ("SAM", "ASAM", "refuse", "uphill"),
    ("SAM", "AWP", "refuse", "uphill"),
    ("SAM", "GradientClipping", "order", "after the move"),
    ("GradientNoise", "GradientClipping", "order", "noise comes first"),
    ("EMA", "SWA", "refuse", "served"),
    ("MaxNorm", "EMA", "order", "before the average"),
    ("PGDTraining", "TRADES", "refuse", "attacked twice"),
    ("PGDTraining", "MixUp", "order", "mixed first"),
    ("PGDTraining", "AWP", "warn", "moved weights"),
    ("JacobianPenalty", "InputGradientPenalty", "warn", "slopes"),
]


@pytest.mark.parametrize(("one", "two", "verdict", "word"), KNOWN)
def test_the_known_conflicts(one, two, verdict, word):
    first, second = SAMPLES[one], SAMPLES[two]
    found = [m for m in meetings((first, second)) if m.rule.verdict == verdict]
    assert found, f"no rule {verdict}"
    assert any(word in m.rule.why for m in found)
    if verdict == "refuse":
        with pytest.raises(RecipeError, match=word) as fault:
            Recipe(first, second)
        assert one in str(fault.value)
        assert two in str(fault.value)
    else:
        told = Recipe(first, second).explain()
        start = "Order: " if verdict == "order" else "Note: "
        assert any(line.startswith(start) and word in line for line in told.splitlines())


@pytest.mark.parametrize(("one", "two"), [(a, b) for a, b, verdict, _ in KNOWN if verdict == "order"])
def test_the_order_typed_plays_no_part(one, two):
    assert Recipe(SAMPLES[one], SAMPLES[two]) == Recipe(SAMPLES[two], SAMPLES[one])


def test_self_distillation_from_memory_is_for_whole_rows():
    with pytest.raises(RecipeError, match="MixUp"):
        Recipe(temperance.SelfDistillation("previous"), MixUp())
    Recipe(temperance.SelfDistillation("average"), MixUp())


def _trains(parts, problem):
    session = attach(Recipe(*parts), problem)
    loss = session.step(problem.batch(0)).loss
    assert bool(torch.isfinite(loss)), "the loss is not finite"
    assert all(bool(torch.isfinite(p).all()) for p in session.solo.home.tensors), "a weight is not finite"


@pytest.fixture(scope="module")
def fits():
    """Return by technique the names of the problems that it works on alone."""
    found = {}
    for name, one in SAMPLES.items():
        found[name] = []
        for problem in PROBLEMS.values():
            try:
                _trains((one,), problem)
            except RecipeError:
                continue
            found[name].append(problem.name)
    return found


def _names(fault, *names):
    missing = [name for name in names if name not in str(fault)]
    assert not missing, f"{fault} does not name {missing}"


@pytest.mark.slow
@pytest.mark.parametrize(("one", "two"), PAIRS)
def test_every_pair_trains_or_is_refused_by_both_names(one, two, fits):
    parts = SAMPLES[one], SAMPLES[two]
    try:
        Recipe(*parts)
    except RecipeError as fault:
        _names(fault, one, two)
        return
    common = [name for name in fits[one] if name in fits[two]]
    if not common:
        alone = f"{one} works on {fits[one]}, {two} on {fits[two]}"
        assert fits[one], alone
        assert fits[two], alone
        return
    try:
        _trains(parts, PROBLEMS[common[0]])
    except RecipeError as fault:
        _names(fault, one, two)


class Bare(torch.nn.Module):
    """A net of one vector: no matrix, no unit, no normalization, no residual branch."""

    def __init__(self):
        super().__init__()
        self.scale = torch.nn.Parameter(torch.tensor([1.0, 2.0, 3.0]))

    def forward(self, x):
        return x * self.scale


BARE_LATER = {
    "AdaptiveGradientClipping": "it waits for a long gradient",
    "GradientClipping": "it waits for a long gradient",
    "GreedySoup": "it chooses at a validation",
    "SWA": "it averages at the end",
    "SelectiveProjectionDecay": "it waits for a step away from the start",
}


@pytest.mark.parametrize("name", list(SAMPLES))
def test_a_technique_with_nothing_to_do_says_so(name):
    model, generator = Bare(), torch.Generator().manual_seed(0)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    batch = temperance.Batch(
        torch.randn(12, 3, generator=generator), torch.randint(0, 3, (12,), generator=generator), index=torch.arange(12)
    )
    loss = torch.nn.functional.cross_entropy
    try:
        session = Recipe(SAMPLES[name]).attach(
            model, optimizer, loss=lambda out, y: loss(out, y, reduction="none"), epochs=2, steps_per_epoch=3
        )
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            for _ in range(3):
                session.step(batch)
    except (RecipeError, SettingError) as fault:
        _names(fault, name)
        return
    acted = session.proof(batch)[0].acted
    assert acted or name in BARE_LATER or any(name in note for note in session.warnings)
