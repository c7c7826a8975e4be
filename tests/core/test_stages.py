from temperance import EMA, L2, SAM, Dropout, FeatureNoise, GradientClipping, LabelSmoothing, MixUp, WeightDecay
from temperance.core import stages
from temperance.core.recipe import Recipe
from temperance.core.regularizer import Memory, Strengths


def test_innermost_first():
    parts = Recipe(L2(), LabelSmoothing(), MixUp(), FeatureNoise(), SAM(), GradientClipping()).by_address
    inside = stages._inner_to_outer(parts, "objective", stages._OBJECTIVE)
    assert inside == ["mixup", "feature_noise", "label_smoothing", "l2"]  # a batch meets the noise before the mixing
    assert stages._inner_to_outer(parts, "gradient", stages._GRADIENT) == ["sam", "gradient_clipping"]


def test_each_stage_takes_those_that_override_it():
    parts = Recipe(Dropout(), WeightDecay(), EMA()).by_address
    assert stages._inner_to_outer(parts, "update", stages._UPDATE) == ["weight_decay", "ema"]
    assert stages._inner_to_outer(parts, "objective", stages._OBJECTIVE) == []


def test_wrapping_calls_from_the_outside_in():
    class Loud:
        def __init__(self, rank, name):
            self.rank, self.name = rank, name

        def stages(self):
            return ("gradient",)

        def gradient(self, inner, strengths, memory):
            return lambda log: inner([*log, self.name])

    from temperance.core.regularizer import Rank

    parts = {"clip": Loud(Rank.CLIP, "clip"), "ascend": Loud(Rank.ASCEND, "ascend"), "noise": Loud(Rank.NOISE, "noise")}
    none = dict.fromkeys(parts)
    assert stages.gradient(parts, lambda log: log, none, none)([]) == ["clip", "noise", "ascend"]


def test_each_technique_knows_the_objective_without_any():
    parts = Recipe(L2(), LabelSmoothing(), MixUp()).by_address
    memory = {address: Memory({}, address=address) for address in parts}
    strengths = {address: Strengths({}, address=address) for address in parts}

    def plain(*_):
        raise AssertionError("nobody ran it")

    stages.objective(parts, plain, strengths, memory)
    assert all(one.innermost is plain for one in memory.values())
