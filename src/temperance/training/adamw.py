"""AdamW in one pass over each parameter, without what torch's optimizers load for its compiler."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer


def _inside(method: Any) -> Any:
    """Return a method of torch's optimizers without what is wrapped around it."""
    return getattr(method, "__wrapped__", method)


class AdamW(Optimizer):
    """AdamW of ``torch.optim`` on a CPU: the same rule, state and groups, by torch's fused kernel.

        m ← β₁m + (1 − β₁)g,  v ← β₂v + (1 − β₂)g²,  p ← p − η·λ·p − η·(m / (1 − β₁ᵗ)) / (√(v / (1 − β₂ᵗ)) + ε)

    The first step of any optimizer of ``torch.optim`` loads torch's compiler, which takes a while. A study has little
    time, and compiles nothing.

    Args:
        params: parameters, or groups of them, on the CPU.
        lr: learning rate η.
        betas: β₁, β₂.
        eps: ε.
        weight_decay: λ.

    Reference: Loshchilov and Hutter (2019), arXiv 1711.05101.

    """

    def __init__(
        self, params: Iterable[Any], lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})

    # what torch wraps around these loads its compiler, so that compiled code leaves them alone
    add_param_group = _inside(Optimizer.add_param_group)
    zero_grad = _inside(Optimizer.zero_grad)
    state_dict = _inside(Optimizer.state_dict)
    load_state_dict = _inside(Optimizer.load_state_dict)

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:  # type: ignore[override]
        """Take one step and return what ``closure``, which computes the gradients, gives."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            params = [p for p in group["params"] if p.grad is not None]
            if not params:
                continue
            states = [self._state_of(p) for p in params]
            steps = [s["step"] for s in states]
            torch._foreach_add_(steps, 1.0)
            torch._fused_adamw_(
                params, [_same_layout(p) for p in params], [s["exp_avg"] for s in states],
                [s["exp_avg_sq"] for s in states], [], steps,
                lr=float(group["lr"]), beta1=group["betas"][0], beta2=group["betas"][1],
                weight_decay=group["weight_decay"], eps=group["eps"], amsgrad=False, maximize=False,
            )  # fmt: skip
        return loss

    def _state_of(self, parameter: Tensor) -> dict[str, Tensor]:
        state: dict[str, Tensor] = self.state[parameter]
        if not state:
            state["step"] = torch.tensor(0.0)
            state["exp_avg"] = torch.zeros_like(parameter, memory_format=torch.preserve_format)
            state["exp_avg_sq"] = torch.zeros_like(parameter, memory_format=torch.preserve_format)
        return state


def _same_layout(parameter: Tensor) -> Tensor:
    """Return the gradient with the strides of its parameter, which the kernel reads side by side."""
    gradient = parameter.grad
    assert gradient is not None
    return gradient if gradient.stride() == parameter.stride() else torch.empty_like(parameter).copy_(gradient)
