"""What cannot act inside Lightning, refused by name before anything is trained."""

from __future__ import annotations

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.strategies import DDPStrategy, SingleDeviceStrategy

from temperance.core.recipe import Recipe
from temperance.core.regularizer import Regularizer
from temperance.core.session import Session
from temperance.records.errors import RecipeError


def two_pass(recipe: Recipe) -> list[str]:
    """Return the addresses of techniques that run backward themselves."""
    parts = recipe.by_address.items()
    return [address for address, one in parts if one.cost.backwards > 1 and "gradient" in one.stages()]


def refuse_strategy(trainer: Trainer) -> None:
    """Refuse strategies that split weights, or step in a way of their own.

    Raises:
        RecipeError: it is one.

    """
    if type(trainer.strategy) not in (SingleDeviceStrategy, DDPStrategy):
        raise RecipeError(
            f"a recipe under {type(trainer.strategy).__name__}",
            "one device, or strategy='ddp' (also ddp_spawn): weights that are whole on each process",
            "Use Trainer(strategy='ddp')",
        )


def refuse_manual(trainer: Trainer) -> None:
    """Refuse a scaler under manual optimization.

    Raises:
        RecipeError: there is one.

    """
    if getattr(trainer.precision_plugin, "scaler", None) is not None:
        raise RecipeError(
            "precision='16-mixed' under manual optimization",
            "there the scaler's step would not see the session's update",
            "Use precision='bf16-mixed', or automatic optimization",
        )


def refuse_two_pass(trainer: Trainer, names: list[str]) -> None:
    """Refuse two-pass techniques where Lightning scales the loss, or gives micro-batches one by one.

    Args:
        trainer: the trainer.
        names: addresses of these techniques; empty: nothing is refused.

    Raises:
        RecipeError: naming them.

    """
    if not names:
        return
    if getattr(trainer.precision_plugin, "scaler", None) is not None:
        raise RecipeError(
            f"{', '.join(names)} with precision='16-mixed'",
            "techniques with more than one backward pass measure true gradients, and Lightning unscales only the last",
            "Use precision='bf16-mixed'",
        )
    if trainer.accumulate_grad_batches > 1:
        raise RecipeError(
            f"{', '.join(names)} with accumulate_grad_batches={trainer.accumulate_grad_batches}",
            "techniques with more than one backward pass need all micro-batches of a step at once",
            "Set self.automatic_optimization = False and call session_of(self).step([a, b, …]), or use larger batches",
        )


def refuse_without_loss(recipe: Recipe, module: LightningModule) -> None:
    """Refuse what needs inputs, outputs or targets, where ``training_step`` keeps them to itself.

    Raises:
        RecipeError: naming it.

    """
    cannot = [a for a, one in recipe.by_address.items() if "objective" in one.stages() or "attacks" in one.roles]
    if cannot:
        raise RecipeError(
            f"{', '.join(cannot)} acts on inputs, outputs or the loss, which training_step keeps to itself",
            "with loss= the session computes loss(module(inputs), targets), and every stage acts",
            "Give RecipeCallback(recipe, loss=F.cross_entropy), or whatever training_step's loss is",
        )
    averages = any(one.averages for one in recipe.regularizers)
    if averages and any(getattr(m, "running_mean", None) is not None for m in module.modules()):
        raise RecipeError(
            "the weights are averaged and the module has BatchNorm, and no loss= was given",
            "running statistics are estimated anew through module(inputs) when fit ends",
            "Give RecipeCallback(recipe, loss=…)",
        )


def refuse_without_forward(module: LightningModule) -> None:
    """Refuse a loss of the outputs where nobody says what ``self(x)`` gives.

    Raises:
        RecipeError: the module has no forward.

    """
    if type(module).forward is LightningModule.forward:
        raise RecipeError(
            f"loss= was given, and {type(module).__name__} has no forward",
            "the session computes loss(module(inputs), targets)",
            "Write forward(self, x), or leave loss= out (techniques of the objective then cannot act)",
        )


def refuse_attached(trainer: Trainer, session: Session, *, manual: bool, has_rows: bool, monitor: str | None) -> None:
    """Refuse what only shows once the recipe is attached.

    Args:
        trainer: the trainer.
        session: the new session.
        manual: whether the user's ``training_step`` owns the loop.
        has_rows: whether the session computes the loss of rows itself.
        monitor: the held-out loss that it is told instead of rows.

    Raises:
        RecipeError: the recipe brings parameters that nobody synchronises, or reads rows that nobody gives.

    """
    brought = [n for n in session.solo.home.names if n.rsplit(".", 1)[-1].startswith("temperance_")]
    if manual and brought and trainer.world_size > 1:
        raise RecipeError(
            f"the recipe brings parameters ({brought[0]}), and manual optimization runs on several processes",
            "gradients of new parameters are averaged over processes under automatic optimization",
            "Use automatic optimization, or leave that technique out",
        )
    readers = [*session._meter.signals] if session._meter.needs_batches else []
    readers += [a for a, one in session.recipe.by_address.items() if type(one).select is not Regularizer.select]
    if readers and not has_rows:
        raise RecipeError(
            f"the recipe measures rows ({', '.join(readers)}), and no loss= was given",
            "they need loss(module(inputs), targets)",
            "Give RecipeCallback(recipe, loss=…)",
        )
    if session.wants_rows and monitor is not None:
        raise RecipeError(
            f"the recipe looks at held-out rows ({', '.join(readers)}), and monitor={monitor!r} is one number",
            "without monitor= the rows of the validation loader are measured",
            "Leave monitor= out",
        )
