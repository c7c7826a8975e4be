"""ADA: how often images change, and that the sign of over-fitting drives it."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from temperance import Recipe, SignFeedback
from temperance.core.kit.images import on_images
from temperance.records.errors import RecipeError, SettingError
from temperance.regularizers.mixing.adaptive_augmentation import KINDS, AdaptiveAugmentation, augment


def _changed(p: float, kinds: tuple[str, ...]) -> float:
    x = torch.rand(2000, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    return float((augment(x, p, kinds, 3) != x).flatten(1).any(1).float().mean())


def test_colour_changes_come_with_probability_p_each() -> None:
    # one channel: brightness and contrast, independent
    assert _changed(0.3, ("color",)) == pytest.approx(1 - 0.7**2, abs=0.03)


def test_geometry_changes_come_as_often_as_declared() -> None:
    # scale, stretch and shift with p, turn with 1 − √(1 − p)
    assert _changed(0.3, ("geometry",)) == pytest.approx(1 - 0.7**3 * 0.7**0.5, abs=0.03)


def test_p_zero_is_the_identity_and_mirrors_are_exact_moves() -> None:
    assert _changed(0.0, KINDS) == 0.0
    x = torch.rand(400, 1, 8, 8, generator=torch.Generator().manual_seed(1))
    out = augment(x, 0.05, ("blit",), 3)
    mirrored = [torch.allclose(a, b.flip(-1), atol=1e-5) for a, b in zip(out, x, strict=True)]
    assert any(mirrored)


def test_over_fitting_raises_p_and_its_absence_lowers_it() -> None:
    generator = torch.Generator().manual_seed(0)
    x, y = torch.randn(16, 1, 6, 6, generator=generator), torch.randint(0, 2, (16,), generator=generator)
    fresh = torch.randn(64, 1, 6, 6, generator=generator), torch.randint(0, 2, (64,), generator=generator)
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(36, 32), nn.ReLU(), nn.Linear(32, 2))
    recipe = Recipe(AdaptiveAugmentation(), controller=SignFeedback(0.1, ramp=10, signal="gap"))
    session = recipe.attach(
        model, torch.optim.Adam(model.parameters(), lr=0.01), loss=_loss, epochs=20, steps_per_epoch=20
    )
    path = []
    for _ in range(5):
        for _ in range(20):
            session.step((x, y))
        assert session.validate([fresh])["gap"] > 0.1  # noise cannot be learned, so it over-fits
        path.append(session.strengths["adaptive_augmentation.p"])
    assert path == sorted(path)
    assert path[-1] > path[0] > 0
    for _ in range(20):
        session.step((x, y))
    session.validate([(x, y)])  # the training rows again: no gap
    assert session.strengths["adaptive_augmentation.p"] < path[-1]


def test_tables_and_unknown_kinds_are_refused() -> None:
    with pytest.raises(RecipeError, match="AdaptiveAugmentation found no image"):
        on_images(torch.randn(4, 3), lambda x, _: augment(x, 0.5, KINDS, 1), "AdaptiveAugmentation")
    with pytest.raises(SettingError, match="kinds"):
        AdaptiveAugmentation(kinds=("weather",))


def _loss(out: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    return functional.cross_entropy(out, target, reduction="none")
